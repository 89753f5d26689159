"""Sets that are ``auto``: a study takes all of a collection that have rows enough of each class."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from src.config.check import OF_IMAGES
from src.config.legal import require
from src.config.ranges import AUTO, Count
from src.errors import UserError, override

if TYPE_CHECKING:
    from src.data.dataset import Dataset

CLIMB = Path(__file__).resolve().parents[2] / "conf" / "study" / "climb.csv"
"""The tables of Liu et al. 2025, "CLIMB": number at OpenML, name, rows, columns, classes, ratio."""
FILES = {"root", "path"}
"""Keys of sources that are read from files."""
SIZES = ("rows", "columns", "classes", "rarest")
MOST_OUTLINES = 64
KEYS = {"data.name": "keel", "data.id": "openml"}
"""The key that names a set, and the choice of ``data`` whose sets are known."""


@dataclass(frozen=True)
class SetPlan:
    """Which sets a sweep takes.

    Attributes:
        outlines: sizes of each set that is taken, by the words that name it.
        left_out: a sentence on each that is not.
    """

    outlines: Mapping[str, "Dataset"] = field(default_factory=dict)
    left_out: Sequence[str] = ()

    def seconds(self, words: Sequence[str], config: Mapping[str, Any]) -> float:
        """Processor seconds that a job takes, about; 0 where that is not known.

        A sweep over images knows it: images are read before, for they take minutes to train on.
        """
        known = next((self.outlines[word] for word in words if word in self.outlines), None)
        data = config["data"]
        if known is None and _are_read_images(data):
            known = _outline(data)
        if known is None:
            return 0.0
        from src.runs.seed_plan import seconds_of_job  # NumPy: not before a wrong word is named

        return seconds_of_job(config, known)


def stay_on_disk(data: Mapping[str, Any]) -> bool:
    """Whether a resolved node of ``data`` names images that take more than their share of memory.

    Raises:
        UserError: where the images cannot be used.
    """
    return _are_read_images(data) and _outline(data).on_disk


def _are_read_images(data: Mapping[str, Any]) -> bool:
    return data.get("_target_") in OF_IMAGES and bool(FILES & data.keys())


def _outline(data: Mapping[str, Any]) -> "Dataset":
    """Sizes of the images that a resolved node of ``data`` names, with the first seed."""
    return _outline_of(json.dumps({**data, "seed": 0}))


@lru_cache(maxsize=MOST_OUTLINES)
def _outline_of(node: str) -> "Dataset":
    from src.runs.dataset_cache import cached_dataset
    from src.runs.seed_plan import outline_of

    return outline_of(cached_dataset(json.loads(node)))


@dataclass(frozen=True)
class KnownSet:
    """A set of a collection, before it is read.

    Attributes:
        value: of the key that names it.
        name: for people.
        rows: n.
        columns: features.
        classes: K.
        rarest: rows of the rarest class.
        unusable: why it cannot be used; empty where it can.
    """

    value: str
    name: str
    rows: int
    columns: int
    classes: int
    rarest: int
    unusable: str = ""


def with_planned_sets(
    master: DictConfig, overrides: Sequence[Override]
) -> tuple[list[Override], SetPlan]:
    """Overrides in which ``data.name=auto``, or ``data.id=auto``, has become a list of sets.

    Sets of the same columns follow one another, for their runs share a graph.

    Returns:
        The overrides, and what is known of the sets.

    Raises:
        UserError: where the sets are not known.
    """
    last = {one.get_key_element(): one for one in overrides}
    key = next((key for key in KEYS if key in last and last[key].value() == AUTO), None)
    if key is None:
        return list(overrides), SetPlan()
    chosen = last["data"].value() if "data" in last else master.hydra.runtime.choices["data"]
    if chosen != KEYS[key]:
        right = override("data", KEYS[key])
        raise UserError(f"{key}=auto: is for {right}; right is a name, or several")
    from src.runs.seed_plan import outline

    fewest = master.hydra.sweeper.fewest_rows
    require("hydra.sweeper.fewest_rows", fewest, Count)
    sets = list(_keel_sets(last.get("data.root")) if key == "data.name" else climb_sets())
    kept = [one for one in sets if not one.unusable and one.rarest >= fewest]
    if not kept:
        raise UserError(f"{key}=auto: no set has {fewest} rows of its rarest class")
    kept.sort(key=lambda one: (one.columns, one.rows))
    left_out = [
        f"{one.name}: "
        + (one.unusable or f"its rarest class has {one.rarest} rows, fewer than {fewest}")
        for one in sets
        if one not in kept
    ]
    words = f"{key}={','.join(one.value for one in kept)}"
    listed = OverridesParser.create().parse_overrides([words])
    outlines = {
        f"{key}={one.value}": outline(one.rows, (one.columns,), one.classes) for one in kept
    }
    others = [one for one in overrides if one.get_key_element() != key]
    return listed + others, SetPlan(outlines, left_out)  # one set after the other


def _keel_sets(root: Override | None) -> Iterator[KnownSet]:
    from src.data.collections.keel import keel_sets  # with pandas

    given: Any = root.value() if root else None
    for one in keel_sets(given and str(given), imbalanced=True):
        sizes = one.rows, one.columns, one.classes, one.rarest
        yield KnownSet(f"'{one.name}'", one.name, *sizes, one.unusable)


def climb_sets() -> Iterator[KnownSet]:
    """The tables of CLIMB, in the order of their numbers."""
    with CLIMB.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            n, columns, classes, rarest = (int(row[key]) for key in SIZES)
            yield KnownSet(row["openml_id"], row["name"], n, columns, classes, rarest)
