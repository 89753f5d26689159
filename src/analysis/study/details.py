"""The later sections of the study's page: what gains go with, calibration, and set by set."""

import pandas as pd

from src.analysis.report.sections import Section
from src.analysis.runs import NETWORK
from src.analysis.statistics.estimate import LEVEL
from src.analysis.study.families import OverFamilies, mean_over_families
from src.analysis.study.figures import against_factor, forest
from src.analysis.study.findings import Findings
from src.analysis.study.summary import FACTORS
from src.analysis.study.table import ANY, Study

MOST_NAMED = 60
"""Sentences on what was left out; sets come first, runs that failed after them."""


def dependence(found: Findings) -> Section:
    """Slopes of the gain over the facts known of a set before training."""
    rows = [row for decision in found.decisions for row in found.of(decision)]
    slopes = [row[name] for row in rows for name in FACTORS if row[name] is not None]
    bold = sum(slope.p < LEVEL for slope in slopes)
    text = [
        f"Slope of the difference, pp per unit; bold where the interval leaves out 0: {bold} of "
        f"{len(slopes)}, where {LEVEL * len(slopes):.1f} would by chance alone."
    ]
    head = ["method", "decision", *(f"per {words}" for words, _ in FACTORS.values())]
    table = [
        [row["method"], row["decision"], *(_slope(row[name]) for name in FACTORS)] for row in rows
    ]
    panels = [
        against_factor(_rows_of(found, row["method"], "tuned"), name, row[name])
        for row in rows
        if (row["decision"], row["kind"]) == ("tuned", NETWORK)
        for name in FACTORS
    ]
    return Section("What the gain goes with", text, [[head, *table]], "", panels)


def calibration(found: Findings) -> Section:
    """Calibration and ranking of each method, at the epoch of a decision."""
    head = ["method", "decision", "ECE", "ECE minus {0}'s, hundredths", "average precision"]
    head += ["average precision minus {0}'s, hundredths"]
    rows = []
    for (decision, method), sets in found.sets.groupby(["decision", "method"], sort=False):
        if decision in {"argmax", "tuned"} and method not in ANY.values():
            of_base = _rows_of(found, found.study.baseline, decision).set_index("data")
            row = [method, decision]
            for name in ("ece", "average_precision"):
                away = 100 * (sets[name] - of_base[name].reindex(sets["data"]).to_numpy())
                row += [_mean(sets[name], sets["family"], ".3f"), _mean(away, sets["family"])]
            rows.append(row)
    text = ["ECE: expected calibration error; less is better. Average precision: macro mean."]
    baseline = found.study.baseline
    return Section("Calibration", text, [[[name.format(baseline) for name in head], *rows]])


def every_set(found: Findings) -> Section:
    """The pictures of each method over the sets."""
    baseline = found.study.baseline
    methods = [name for name in found.sets["method"].unique() if name != baseline]
    panels = [forest(found.sets, method, baseline) for method in methods]
    text = ["Drawn in the report: each method's difference on every set, families together."]
    return Section("Every set", text, panels=panels)


def set_by_set(study: Study, decision: str) -> Section:
    """Every set as a row, won or lost."""
    sets = study.sets[study.sets["decision"] == decision]
    base = sets[sets["method"] == study.baseline].sort_values(["family", "data"])
    others = [
        name for name in sets["method"].unique() if name not in {study.baseline, *ANY.values()}
    ]
    cells = {(row["data"], row["method"]): _cell(row) for _, row in sets.iterrows()}
    head = ["set", "family", "rows", "ratio", "rarest", "overlap", study.baseline, *others]
    table = [
        [row["data"], row["family"], *_facts(row), f"{row['score']:.3f}"]
        + [cells.get((row["data"], name), "") for name in others]
        for _, row in base.iterrows()
    ]
    text = [
        f"Macro F1 of {study.baseline}, and each method's difference from it in pp with its 95 % "
        "interval; bold: told apart from it, corrected by Holm over the methods of the set."
    ]
    folded = f"{len(table)} sets at {decision}"
    return Section(f"Set by set, decision {decision}", text, [[head, *table]], folded)


def left_out(study: Study) -> Section:
    """Sets and runs that are not in the tables, and methods with more trials than others."""
    trials = (
        study.sets.groupby("method", sort=False)["trials"]
        .max()
        .drop([*ANY.values()], errors="ignore")
    )
    counts = [f"{method}: {count}" for method, count in trials.items()]
    text = [f"Trials of each seed, by method: {'; '.join(counts)}."]
    if trials.nunique() > 1:
        text.append("Methods with more trials have had more chances; validation chooses of them.")
    lacking = "\n".join(f"- {sentence}" for sentence in study.left_out[:MOST_NAMED])
    if len(study.left_out) > MOST_NAMED:
        lacking += f"\n- and {len(study.left_out) - MOST_NAMED} more runs"
    text.append(f"Left out:\n\n{lacking}" if lacking else "No run was left out.")
    return Section("What is not in it", text)


def _rows_of(found: Findings, method: str, decision: str) -> pd.DataFrame:
    sets = found.sets
    return sets[(sets["method"] == method) & (sets["decision"] == decision)]


def _slope(found: OverFamilies | None) -> str:
    if found is None:
        return ""
    return f"**{found.text('+.2f')}**" if found.p < LEVEL else found.text("+.2f")


def _mean(values: pd.Series, families: pd.Series, form: str = "+.1f") -> str:
    known = values.notna().to_numpy()
    if not known.any():
        return ""
    return mean_over_families(values[known], families[known]).text(form)


def _facts(row: pd.Series) -> list[str]:
    forms = {"rows": ",.0f", "ratio": ".1f", "rarest_rows": ".0f", "overlap": ".2f"}
    return ["" if pd.isna(row[name]) else format(row[name], form) for name, form in forms.items()]


def _cell(row: pd.Series) -> str:
    text = "{:+.1f} [{:.1f}, {:.1f}]".format(*(row[name] for name in ("difference", "low", "high")))
    return text if row["verdict"] in {"", "undecided", "equivalent"} else f"**{text}**"
