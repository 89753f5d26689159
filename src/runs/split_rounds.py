"""Rounds of splits: after how many seeds every fold, or every origin in time, was the test."""

from collections.abc import Mapping
from typing import Any

PARTS = {"kfold": "folds", "time": "origins"}
"""What a round consists of, by the kind of split, and the key under ``data`` that says how many."""


def parts_of(split: str, data: Mapping[str, Any]) -> int:
    """Folds or origins of a round, by kind of split and ``data`` node; 0 for splits without any."""
    return int(data.get(PARTS[split], 0)) if split in PARTS else 0


def seeds_a_round(split: str, data: Mapping[str, Any]) -> int:
    """Seeds of a round; 1 for splits that have none."""
    return max(1, parts_of(split, data) * int(data.get("seeds_per_split", 1)))
