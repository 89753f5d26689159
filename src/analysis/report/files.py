"""An answer as JSON and as CSV."""

import csv
import dataclasses
import json
import math
from pathlib import Path
from typing import Any

from src.analysis.answer import Answer
from src.analysis.for_scale import ForScale
from src.analysis.statistics.comparison import Comparison
from src.analysis.statistics.losses import MARK, LossSummary
from src.analysis.statistics.verdict import UNDECIDED

PROBABILITIES = ("probability_of_gain", "probability_of_equivalence", "probability_of_loss")


def in_json(answer: Answer) -> dict[str, Any]:
    """Everything that the tables show, and the scores of each seed."""
    selection = answer.selection
    content = {
        "title": selection.title,
        "store": selection.address,
        "sweep": selection.sweep_id,
        "command": selection.command,
        "decision": answer.decision,
        "answers": [_renamed(one, title="place") for one in answer.cards],
        "comparisons": [_comparison(found) for found in answer.comparisons],
        "other_decision": [_comparison(found) for found in answer.others],
        "at_given_settings": [_comparison(found) for found in answer.given],
        "choices": [
            {"decision": decision, **dataclasses.asdict(one)}
            for decision, best in answer.best.items()
            for one in best.choices
        ],
        "losses": [
            _loss(found, decision) for decision, losses in answer.losses.items() for found in losses
        ],
        "losses_at_given_settings": [_loss(one, answer.decision) for one in answer.given_losses],
        "notes": answer.notes,
        "homework": answer.homework.text if answer.homework else None,
        "planned_seeds": selection.planned,
        "left_out": answer.left_out,
        "for_scale": [_scale(one) for one in answer.scale.values()],
        "recommendations": [_renamed(one, title="place") for one in answer.recommendations],
    }
    found: dict[str, Any] = _finite(content)
    return found


def write_json(file: Path, answer: Answer) -> None:
    """Writes it."""
    text = json.dumps(in_json(answer), indent=1, ensure_ascii=False, allow_nan=False)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def write_csv(file: Path, answer: Answer) -> None:
    """Writes one row for each comparison at each decision."""
    groups = [*answer.losses.items(), (answer.decision, answer.given_losses)]
    losses = {(each, one.setting, one.label): one for each, found in groups for one in found}
    rows = [
        _row(
            found,
            losses[found.decision, found.setting, found.label],
            losses[found.decision, found.setting, found.baseline],
        )
        for found in (*answer.comparisons, *answer.others, *answer.given)
    ]
    names = list(dict.fromkeys(name for row in rows for name in row))
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, names, restval="")
        writer.writeheader()
        writer.writerows(rows)


def _renamed(record: Any, **names: str) -> dict[str, Any]:
    """The fields of a dataclass, some by the names that they have in the files."""
    return {names.get(name, name): value for name, value in dataclasses.asdict(record).items()}


def _attributes(record: Any, *names: str) -> dict[str, Any]:
    """Some of what a record has, by the same names."""
    return {name: getattr(record, name) for name in names}


def _comparison(found: Comparison) -> dict[str, Any]:
    return {
        **_renamed(found, title="place"),
        "short": found.short,
        "estimand": found.estimate.design.estimand,
        "split": found.estimate.design.split,
        "ci_low_pp": found.low,
        "ci_high_pp": found.high,
        **_attributes(found, "p", "p_holm", *PROBABILITIES),
        "differences_pp": found.differences,
        "mean_difference_pp": found.mean,
        **_attributes(found, "wins_ties_losses", "verdict", "sentence", "verdict_alone"),
        "seeds_needed": found.needed if found.verdict == UNDECIDED else None,
        "missing": found.missing,
    }


def _scale(found: ForScale) -> dict[str, Any]:
    return {
        **_attributes(found, "setting", "recommended"),
        "reference_leads": found.leads,
        **_attributes(found, "sentence", "advice", "command", "notes"),
        "references": [
            {
                "reference": row.at.label,
                "runs": [run.run_id for run in row.at.runs],
                "validation_f1_macro": row.at.mean,
                "f1_macro": row.score,
                **_comparison(row.against),
            }
            for row in found.rows
        ],
    }


def _loss(found: LossSummary, decision: str) -> dict[str, Any]:
    return {
        "decision": decision,
        "setting": found.setting,
        "place": found.title,
        "loss": found.label,
        **_attributes(found, "short", "seeds"),
        "runs": [run.run_id for run in found.runs],
        "rarest_class": found.rare,
        "rarest_class_name": found.rare_name,
        "rarest_class_test_rows": found.rows_of_rare,
        "pooled_f1_macro": found.scores(decision)["pooled_f1_macro"],
        "class_names": found.runs[0].class_names,
        "mean": found.means,
        "sd": found.spreads,
    }


def _row(found: Comparison, loss: LossSummary, base: LossSummary) -> dict[str, Any]:
    mark = MARK[found.decision]
    by_class = (f"{mark}f1_class_", f"{mark}recall_class_")
    row: dict[str, Any] = {
        "place": found.title,
        "settings": found.tuning,
        "decision": found.decision,
        "loss": found.label,
        "baseline": found.baseline,
        "seeds": len(found.seeds),
        "f1_macro_mean": loss.means[f"{mark}f1_macro"],
        "f1_macro_sd": loss.spreads.get(f"{mark}f1_macro"),
        "baseline_f1_macro_mean": base.means[f"{mark}f1_macro"],
        "baseline_f1_macro_sd": base.spreads.get(f"{mark}f1_macro"),
        "difference_pp": found.mean,
        "ci_low_pp": found.low,
        "ci_high_pp": found.high,
        **_attributes(found, "p", "p_holm"),
        **dict(zip(("wins", "ties", "losses"), found.wins_ties_losses, strict=True)),
        **_attributes(found, "verdict", *PROBABILITIES),
        "missing": "; ".join(found.missing),
        "rarest_class": loss.rare_name,
        "rarest_class_test_rows": loss.rows_of_rare,
        **loss.scores(found.decision),
    }
    row |= {
        name.removeprefix(mark): value
        for name, value in loss.means.items()
        if name.startswith(by_class)
    }
    return {name: "" if value is None else value for name, value in _finite(row).items()}


def _finite(node: Any) -> Any:
    """The same with null for what JSON cannot say."""
    if isinstance(node, dict):
        return {key: _finite(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_finite(value) for value in node]
    return None if isinstance(node, float) and not math.isfinite(node) else node
