"""The page of the study: sections of text and tables, the same in Markdown and in HTML."""

from collections.abc import Iterator, Mapping
from typing import Any

from src.analysis.report.sections import Section
from src.analysis.report.text import p_value
from src.analysis.runs import NETWORK
from src.analysis.statistics.paired import THRESHOLD_PP
from src.analysis.study.details import calibration, dependence, every_set, left_out, set_by_set
from src.analysis.study.families import mean_over_families
from src.analysis.study.figures import critical_differences
from src.analysis.study.findings import CHANCES, HOW, Findings, chances, counts
from src.analysis.study.ranks import Ranks
from src.analysis.study.summary import over_sets, summarise
from src.analysis.study.table import ANY_NETWORK, ANY_REFERENCE, CHOSEN, Study

TITLE = "Losses on imbalanced tables: a study over data sets"


def sections(study: Study) -> list[Section]:
    """The whole page."""
    found = Findings(study)
    return [
        answer(found),
        *(over_data_sets(found, decision) for decision in found.decisions),
        decision_alone(found),
        against_references(found),
        dependence(found),
        calibration(found),
        every_set(found),
        *(set_by_set(study, decision) for decision in found.decisions),
        left_out(study),
    ]


def answer(found: Findings) -> Section:
    """The answer in sentences."""
    study, sets = found.study, found.sets
    extent = f"{sets['data'].nunique()} data sets of {sets['family'].nunique()} families"
    text = [
        f"{study.runs:,} runs on {extent}; each method at its best by validation. Means are over "
        "families, for data sets like these."
    ]
    for decision in found.decisions:
        rows = [row for row in found.of(decision) if row["kind"] == NETWORK]
        rows = [row for row in rows if row["method"] != ANY_NETWORK]
        better = [_named(row) for row in rows if row["mean"].low > 0]
        worse = [_named(row) for row in rows if row["mean"].high < 0]
        text.append(
            f"**{decision.capitalize()}** ({HOW[decision]}): of {len(rows)} losses and samplings, "
            f"better than {study.baseline} on average: {', '.join(better) or 'none'}; worse: "
            f"{', '.join(worse) or 'none'}; the others are not told apart from it."
        )
    return Section("The answer", [*text, *_of_decision(found), *_of_references(found)])


def _of_decision(found: Findings) -> Iterator[str]:
    """The baseline's gain by another decision than argmax."""
    base = found.sets[found.sets["method"] == found.study.baseline]
    gains = [
        f"{decision} {mean_over_families(rows['over_argmax'], rows['family']).text()} pp"
        for decision, rows in base.groupby("decision", sort=False)
        if decision != "argmax"
    ]
    if gains:
        yield f"**The decision alone**, {found.study.baseline} over its argmax: {', '.join(gains)}."


def _of_references(found: Findings) -> Iterator[str]:
    """The best network against the best estimator without one."""
    against = found.study.against
    if against.empty:
        return
    both = against[(against["method"] == ANY_NETWORK) & (against["decision"] == CHOSEN)]
    both = both[both["against"] == ANY_REFERENCE]
    if both.empty:
        return
    row = over_sets(both)
    gain, _, loss = chances(row)
    yield (
        f"**Without a network**: the network that validation chooses is {row['mean'].text()} pp "
        f"from the estimator that it chooses, better on {row['better']} of {row['sets']} sets, "
        f"worse on {row['worse']}; on the next set it gains more than {THRESHOLD_PP:g} pp with "
        f"probability {gain or 'unknown'}, loses more with {loss or 'unknown'}."
    )


def over_data_sets(found: Findings, decision: str) -> Section:
    """Every method against the baseline at one decision."""
    ranks = found.ranks.get(decision)
    head = ["method", "difference, pp", "sets better/open/worse", *CHANCES, "95 % of next sets, pp"]
    head += ["p, families", "p, sets", "mean rank"]
    rows = []
    for row in found.of(decision):
        of_mean = [row["method"], row["mean"].text(), counts(row)]
        rows.append([*of_mean, *chances(row), _next(row), *_of_ranks(ranks, row["method"])])
    text, panels = [], []
    if ranks:
        families, sets = ranks
        text.append(
            f"Friedman's test that all {len(families.ranks)} methods are alike: chi-squared "
            f"{families.statistic:.1f}, p {p_value(families.p)} over {families.rows} families "
            f"(p {p_value(sets.p)} over {sets.rows} single sets). Mean rank of "
            f"{found.study.baseline}: {families.ranks[found.study.baseline]:.1f}."
        )
        panels.append(critical_differences(families, decision))
    return Section(f"Over the data sets, decision {decision}", text, [[head, *rows]], "", panels)


def decision_alone(found: Findings) -> Section:
    """The baseline's gain by its decision, and that of each method with its decision."""
    baseline = found.study.baseline
    at = found.sets[found.sets["decision"] != "argmax"]
    alone = at[(at["method"] == baseline) | (at["decision"] == CHOSEN)]
    rows = summarise(alone, "over_argmax")
    rows.sort(key=lambda row: (row["method"] != baseline, -row["mean"].value))
    head = ["method", "decision", f"over {baseline} at argmax, pp", "sets better/open/worse"]
    table = [
        [row["method"], row["decision"], row["mean"].text(), counts(row), *chances(row)]
        for row in rows
    ]
    text = [f"Every difference here is to {baseline} with the most probable class."]
    return Section("What the decision alone gives", text, [[[*head, *CHANCES], *table]])


def against_references(found: Findings) -> Section:
    """Networks against estimators without one, over the sets."""
    against = found.study.against
    title = "Networks against forests and boosting"
    if against.empty:
        return Section(title, ["No reference was trained."])
    head = ["network", "against", "difference, pp", "ahead on sets", "ahead on families"]
    head += ["sets better/open/worse", *CHANCES]
    rows = []
    for (name, method), sets in against[against["decision"] == CHOSEN].groupby(
        ["against", "method"]
    ):
        row = over_sets(sets)
        means = sets.groupby("family")["difference"].mean()
        ahead = [f"{row['share_better'].text('.0f')} %", f"{(means > 0).sum()} of {len(means)}"]
        rows.append([method, name, row["mean"].text(), *ahead, counts(row), *chances(row)])
    text = [
        f"Both at {HOW[CHOSEN]}. {ANY_NETWORK.capitalize()} and {ANY_REFERENCE} are the one with "
        "the best validation score within each seed, of all that were trained. Ahead: the mean of "
        "the network is higher; as a share of the sets, families weighted alike. Better, worse: "
        "the 95 % interval of the set leaves out 0."
    ]
    return Section(title, text, [[head, *rows]])


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['method']} {row['mean'].text()} pp"


def _next(row: Mapping[str, Any]) -> str:
    return f"{row['next_low']:+.1f} to {row['next_high']:+.1f}" if "next_low" in row else ""


def _of_ranks(ranks: tuple[Ranks, Ranks] | None, method: str) -> list[str]:
    if ranks is None or method not in ranks[0].ranks:
        return ["", "", ""]
    p = [p_value(one.wilcoxon[method]) if method in one.wilcoxon else "" for one in ranks]
    return [*p, f"{ranks[0].ranks[method]:.1f}"]
