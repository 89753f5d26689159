"""Shows an answer on the terminal: two tables and a sentence a comparison."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from src.analysis.answer import Answer
from src.analysis.report.text import HOW, bounds, mean_and_sd, number, p_value
from src.analysis.runs import SCORE
from src.analysis.statistics.comparison import Comparison
from src.analysis.statistics.losses import LossSummary

WIDTH = 130
"""Columns where the output is no terminal."""


def print_answer(answer: Answer) -> None:
    """Prints the paired table and the other scores of every setting, then the sentences.

    Args:
        answer: the comparison.
    """
    console = Console()
    console = console if console.is_terminal else Console(width=WIDTH)
    for setting in answer.settings:
        group, losses = answer.of(setting), answer.losses_of(setting)
        console.print(_paired_table(answer, group, losses))
        console.print(_other_scores(answer, losses))
        for found in group:
            print(f"{found.title}: {found.sentence}")
            for note in found.missing:
                print(f"  {note}")
    for note in answer.left_out:
        print(f"left out: {note}")
    for one in answer.recommendations:
        where = f" for {one.title}" if len(answer.recommendations) > 1 else ""
        print(f"\nRecommendation{where}: {one.sentence}.")
        for line in filter(None, (one.details and f"{one.details}:", one.command)):
            print(f"  {line}")
    print(flush=True)


def _paired_table(
    answer: Answer, group: Sequence[Comparison], losses: Sequence[LossSummary]
) -> Table:
    table = _table(
        f"{group[0].title}: test macro F1, paired by seed, {HOW[answer.decision]}",
        ("mean ± sd", "difference (pp)", "95 % CI", "p (Holm)", "seeds", "win/tie/loss", "verdict"),
    )
    metric = SCORE[answer.decision]
    base = losses[0]
    seeds = str(len(base.seeds))
    table.add_row(base.label, mean_and_sd(base, metric), "", "", "", seeds, "", "baseline")
    for found, loss in zip(group, losses[1:], strict=True):
        table.add_row(
            found.label,
            mean_and_sd(loss, metric),
            f"{found.mean:+.2f}",
            bounds(found),
            p_value(found.p_holm),
            str(len(found.seeds)),
            "/".join(map(str, found.wins_ties_losses)),
            found.verdict,
        )
    return table


def _other_scores(answer: Answer, losses: Sequence[LossSummary]) -> Table:
    other = answer.other_decision
    rare = losses[0].rare_name if losses[0].rare is not None else "rarest class"
    table = _table(
        f"Macro F1 {HOW[other]}; rarest class ({rare}) {HOW[answer.decision]}; calibration; time",
        (f"F1 {other}", "diff. (pp)", "rare F1", "recall", "ECE", "Brier", "log loss", "train s"),
    )
    by_label = {found.label: found for found in answer.others if found.setting == losses[0].setting}
    for loss in losses:
        beside = by_label.get(loss.label)
        table.add_row(
            loss.label,
            mean_and_sd(loss, SCORE[other]),
            f"{beside.mean:+.2f}" if beside else "",
            number(loss.of_rare("f1", answer.decision)),
            number(loss.of_rare("recall", answer.decision)),
            number(loss.means.get("test_ece")),
            number(loss.means.get("test_brier")),
            number(loss.means.get("test_log_loss")),
            number(loss.means.get("seconds_fit"), ".1f"),
        )
    return table


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("loss", overflow="fold")
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    return table
