"""An answer as JSON and as CSV."""

import csv
import dataclasses
import json
import math
from pathlib import Path
from typing import Any

from src.analysis.answer import Answer
from src.analysis.comparison import Comparison
from src.analysis.losses import MARK, LossSummary

SHARED = ("test_ece", "test_brier", "test_log_loss", "seconds_fit")
"""Means that do not depend on the decision."""


def write_json(file: Path, answer: Answer) -> None:
    """Writes everything that the tables show, and the scores of each seed.

    Args:
        file: where to.
        answer: the comparison.
    """
    selection = answer.selection
    content = {
        "title": selection.title,
        "store": selection.address,
        "sweep": selection.sweep_id,
        "command": selection.command,
        "decision": answer.decision,
        "comparisons": [_comparison(found) for found in answer.comparisons],
        "other_decision": [_comparison(found) for found in answer.others],
        "losses": [_loss(found) for found in answer.losses],
        "left_out": answer.left_out,
        "recommendations": [dataclasses.asdict(one) for one in answer.recommendations],
    }
    text = json.dumps(_finite(content), indent=1, ensure_ascii=False, allow_nan=False)
    _write(file, text)


def write_csv(file: Path, answer: Answer) -> None:
    """Writes one row for each comparison at each decision.

    Args:
        file: where to.
        answer: the comparison.
    """
    losses = {(found.setting, found.label): found for found in answer.losses}
    rows = [
        _row(found, losses[found.setting, found.label], losses[found.setting, found.baseline])
        for found in (*answer.comparisons, *answer.others)
    ]
    names = list(dict.fromkeys(name for row in rows for name in row))
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, names, restval="")
        writer.writeheader()
        writer.writerows(rows)


def _comparison(found: Comparison) -> dict[str, Any]:
    numbers = dataclasses.asdict(found) | {
        "ci_low_pp": found.low,
        "ci_high_pp": found.high,
        "differences_pp": found.differences,
        "mean_difference_pp": found.mean,
        "wins_ties_losses": found.wins_ties_losses,
        "verdict": found.verdict,
        "sentence": found.sentence,
        "sure": found.sure,
        "caution": found.caution,
        "seeds_needed": None if found.sure else found.needed,
        "missing": found.missing,
    }
    del numbers["low"], numbers["high"]
    return numbers


def _loss(found: LossSummary) -> dict[str, Any]:
    return {
        "setting": found.setting,
        "place": found.place,
        "loss": found.label,
        "seeds": found.seeds,
        "runs": [run.run_id for run in found.runs],
        "rarest_class": found.rare,
        "rarest_class_name": found.rare_name,
        "class_names": found.runs[0].class_names,
        "mean": found.means,
        "sd": found.spreads,
    }


def _row(found: Comparison, loss: LossSummary, base: LossSummary) -> dict[str, Any]:
    wins, ties, losses = found.wins_ties_losses
    mark = MARK[found.decision]
    row: dict[str, Any] = {
        "place": found.place,
        "decision": found.decision,
        "loss": found.label,
        "baseline": found.baseline,
        "seeds": len(found.seeds),
        "f1_macro_mean": loss.means[f"{mark}f1_macro"],
        "f1_macro_sd": loss.spreads.get(f"{mark}f1_macro", ""),
        "baseline_f1_macro_mean": base.means[f"{mark}f1_macro"],
        "baseline_f1_macro_sd": base.spreads.get(f"{mark}f1_macro", ""),
        "difference_pp": found.mean,
        "ci_low_pp": found.low,
        "ci_high_pp": found.high,
        "p": found.p,
        "p_holm": found.p_holm,
        "wins": wins,
        "ties": ties,
        "losses": losses,
        "verdict": found.verdict,
        "caution": found.caution,
        "missing": "; ".join(found.missing),
        "rarest_class": loss.rare_name,
        "rarest_class_f1": loss.of_rare("f1", found.decision),
        "rarest_class_recall": loss.of_rare("recall", found.decision),
        **{name: loss.means.get(name, "") for name in SHARED},
        **{
            name.removeprefix(mark): value
            for name, value in loss.means.items()
            if name.startswith((f"{mark}f1_class_", f"{mark}recall_class_"))
        },
    }
    return {
        name: "" if isinstance(value, float) and math.isnan(value) else value
        for name, value in row.items()
    }


def _finite(node: Any) -> Any:
    """The same with null for what JSON cannot say."""
    if isinstance(node, dict):
        return {key: _finite(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_finite(value) for value in node]
    if isinstance(node, float) and not math.isfinite(node):
        return None
    return node


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
