"""Advice in words: for the terminal, as JSON, and its check as sections of a page."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from src.analysis.report.sections import Section
from src.analysis.statistics.paired import THRESHOLD_PP
from src.analysis.study.advice import APART, CANDIDATE, FACTOR, IN_WORDS, REFERENCE_AHEAD, Advice
from src.analysis.study.advice_check import CHOICES, POOLS, check_advice
from src.analysis.study.prediction import BY_CHANCE
from src.analysis.study.table import ANY_NETWORK, ANY_REFERENCE, CHOSEN
from src.errors import UserError

TITLE = "Whether advice before training is worth anything"
HEAD = ["method and decision", "families", "mean gain", "average off by", "advice off by"]
HEAD += ["features used", "intervals that hold"]
BY_VALIDATION = {
    ANY_NETWORK: "network and decision chosen by validation",
    ANY_REFERENCE: "reference and decision chosen by validation",
}
MOST_LINES = {"network": 6, "reference": 3}
"""Candidates of each kind that a terminal shows."""


def lines(title: str, advice: Advice, *, every: bool = False) -> Iterator[str]:
    """The advice on a table, paragraph by paragraph; ``every`` candidate or the best few alone."""
    facts = advice.facts
    yield (
        f"{title}: {facts['rows']} rows, {facts['columns']} columns, {facts['classes']} classes; "
        f"the rarest class has {facts['rarest_rows']} rows, ratio {facts['ratio']:.3g}, overlap "
        f"{facts['overlap']:.2f}."
    )
    yield _known(advice)
    gains = advice.gains[advice.gains["method"] != REFERENCE_AHEAD[1]]
    own = ~gains["method"].isin([*BY_VALIDATION]) | (gains["decision"] == CHOSEN)
    yield (
        "Macro F1 against cross-entropy at argmax, percentage points: expected, and the 95 % "
        "interval for one new table:"
    )
    for kind, most in MOST_LINES.items():
        of_kind = gains[own & (gains["kind"] == kind)]
        for _, one in of_kind.head(len(of_kind) if every else most).iterrows():
            yield f"  {_interval(one)} {_name(one)}{' *' if one['predicts'] else ''}"
    yield from _what_predicts(gains[own & (gains["high"] > gains["low"])])
    yield from _references(advice)


def as_json(advice: Advice) -> dict[str, Any]:
    """The whole advice, numbers unrounded, in percentage points and shares."""
    columns = [*CANDIDATE, "expected", "low", "high", "average", "predicts", "sets", "families"]
    return {
        "table": dict(advice.facts),
        "study": {"sets": advice.sets, "families": advice.families},
        "like_it": {"sets": list(advice.near), "families": advice.near_families},
        "outside": {
            name: {"table": value, "study": [low, high]}
            for name, (value, low, high) in advice.outside.items()
        },
        "gains": advice.gains[columns].to_dict("records"),
        "references_against_networks": advice.ahead,
    }


def advice_sections(table: pd.DataFrame) -> list[Section]:
    """Sections on whether advice can be trusted, from the study's table."""
    try:
        check = check_advice(table)
    except UserError as error:
        return [Section(TITLE, [f"Not known: {error}."])]
    texts = {key: regret.text(".2f") for key, regret in check.regrets.items()}
    regrets = [[one, *(texts.get((pool, one), "") for pool in POOLS)] for one in CHOICES]
    methods = [
        [
            _name(one),
            str(one["families"]),
            f"{one['average']:+.1f}",
            f"{one['error_of_average']:.2f}",
            f"{one['error']:.2f}",
            f"{100 * one['predicted']:.0f} %",
            f"{100 * one['coverage']:.0f} %",
        ]
        for _, one in check.methods.iterrows()
    ]
    text = (
        f"Each of {check.families} families ({check.sets} data sets) is left out once and "
        f"predicted from the others. {check.conclusion}"
    )
    shortfall = ["macro F1 short of the best of each set, pp", *POOLS]
    return [
        Section(TITLE, [text], [[shortfall, *(row for row in regrets if any(row[1:]))]]),
        Section(
            "Advice by method and decision",
            ["Percentage points, families left out."],
            [[HEAD, *methods]],
            folded="Every method and decision",
        ),
    ]


def _known(advice: Advice) -> str:
    near = (
        f"{len(advice.near)} of them, of {advice.near_families} families, are like it"
        if advice.near
        else "none of them is like it"
    )
    said = (
        f"The study has {advice.sets} tables of {advice.families} families; {near} (ratio, rows of "
        f"the rarest class and columns within a factor of {FACTOR:g}, overlap within {APART:g})."
    )
    outside = [
        f"{_plain(value)} {IN_WORDS[name]} (there {' to '.join({_plain(low): 0, _plain(high): 0})})"
        for name, (value, low, high) in advice.outside.items()
    ]
    if outside:
        said += f" Beyond it, so that intervals may be too narrow: {', '.join(outside)}."
    return said


def _what_predicts(gains: pd.DataFrame) -> Iterator[str]:
    used, every = int(gains["predicts"].sum()), len(gains)
    features = "Ratio, rows of the rarest class, columns and overlap"
    yield (
        f"* predicted for this table: {features.lower()} do better than the average for {used} "
        f"of {every} gains (by chance some {BY_CHANCE * every:.0f} would seem so). The rest is "
        "the average over families."
        if used
        else f"{features} predict nothing: all of it is the average over families."
    )


def _references(advice: Advice) -> Iterator[str]:
    if not advice.ahead:
        yield "The study has no references beside the networks."
        return
    found = advice.gains[advice.gains["method"] == REFERENCE_AHEAD[1]]
    ahead, level, behind = (f"{100 * share:.0f} %" for share in advice.ahead.values())
    said = (
        f"The best forest, boosting or regression is ahead of the best network by more than "
        f"{THRESHOLD_PP:g} pp in {ahead} of the families, within that in {level}, behind in "
        f"{behind}"
    )
    for _, one in found.iterrows():
        said += f"; expected here: {_interval(one).strip()}"
    yield f"{said}. my_data trains both."


def _plain(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _interval(one: pd.Series) -> str:
    mean, low, high = (round(one[name], 1) + 0.0 for name in ("expected", "low", "high"))
    ends = f"[{low:.1f}, {high:.1f}]"
    return f"{mean:+5.1f} {ends:<14}"


def _name(one: pd.Series) -> str:
    if one["decision"] == CHOSEN and one["method"] in BY_VALIDATION:
        return BY_VALIDATION[one["method"]]
    by = {CHOSEN: "decision by validation"}.get(one["decision"], one["decision"])
    return f"{one['method']}, {by}".replace("_", " ")
