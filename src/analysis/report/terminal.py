"""Shows an answer on the terminal: each loss at its best, then at given settings, in words last."""

from collections.abc import Callable
from functools import partial
from itertools import chain
from textwrap import fill
from typing import Any

from rich.console import Console
from rich.table import Table

from src.analysis.answer import Answer
from src.analysis.for_scale import ForScale
from src.analysis.report.text import (
    BESIDE,
    HOW,
    bounds,
    difference,
    mean_and_sd,
    number,
    p_value,
    score_beside,
)
from src.analysis.runs import CRITERIA, SCORE, key_words
from src.analysis.statistics.comparison import Comparison
from src.runs.labels import encodable, short_label
from src.runs.narrow_table import narrow_table, terminal

WRAPPED: Any = {"break_long_words": False, "break_on_hyphens": False}
MOST_RATES = 5
"""Given settings beside each other."""
MOST_GIVEN = 10
"""Given settings that are shown; the report has them all."""
INTERVAL = "95 % interval"
Titled = tuple[str, Table]


def print_answer(answer: Answer, console: Console | None = None) -> None:
    """Prints every setting's tables, sentences and notes, the recommendations, the verdict last."""
    console = console or terminal()
    say = partial(_say, console)
    for setting in answer.settings:
        for title, table in (
            _paired_table(console, answer, setting),
            _other_scores(console, answer, setting),
        ):
            say(title)
            console.print(table)
        for one in answer.of(setting):
            say(f"{one.title}: {one.sentence}")
            for note in one.missing:
                say(f"  {note}")
        for note in answer.notes[setting]:
            say(f"  {note}")
        scale = [answer.scale[setting]] if setting in answer.scale else []
        for title, table in (
            *(_scale_table(console, one) for one in scale),
            *_given_tables(console, answer, setting),
        ):
            say(f"\n{title}")
            console.print(table)
    for note in answer.left_out:
        say(f"left out: {note}")
    for said in chain.from_iterable(map(answer.statements, answer.recommendations)):
        head = f"{said.head}: {said.sentence}" if said.head else said.sentence
        action, aside = said.action and f"{said.action}:", said.aside and f"{said.aside}."
        _say_block(say, f"{head}.", action, said.command, aside)
    if answer.homework:
        say(f"\n{answer.homework.text}")
    for card in answer.cards:
        where = f" for {card.title}" if len(answer.settings) > 1 else ""
        why = f"{card.step.text}{':' if card.step.command else '.'}"
        _say_block(say, f"Answer{where}: {card.badge}. {card.headline}.", why, card.step.command)
    say("")


def _say(console: Console, text: str) -> None:
    """Prints lines, between words where they are longer than a terminal is wide.

    A line that is a command stays whole, to be copied; so do all that go into a file.
    """
    for line in encodable(text, console.encoding).split("\n"):
        shown, indent = line, line[: len(line) - len(line.lstrip())]
        if console.is_terminal and not line.strip().startswith("python "):
            shown = fill(line, console.width, subsequent_indent=f"{indent}  ", **WRAPPED)
        console.print(shown, markup=False, highlight=False, soft_wrap=True)


def _say_block(say: Callable[[str], None], head: str, *below: str) -> None:
    """A paragraph, and those of the lines below it that are not empty."""
    say(f"\n{head}")
    for line in filter(None, below):
        say(f"  {line}")


def _scale_table(console: Console, scale: ForScale) -> Titled:
    """Each reference at both decisions, in two lines: its score, and how far it is from advice."""
    rows = scale.by_label
    columns: dict[str, list[str]] = {}
    for decision in next(iter(rows.values())):
        found = [rows[label].get(decision) for label in rows]
        columns[f"F1 {decision}"] = [f"{row.score:.4f}" if row else "" for row in found]
        columns[f"diff. {decision}"] = [
            difference(row.against, f" {row.against.verdict}\n") if row else "" for row in found
        ]
    title = (
        "For scale, no networks, on the same splits: differences to the recommendation, "
        f"{scale.recommended}, in pp; Holm over these {len(scale.rows)} alone"
    )
    return title, narrow_table(console, "reference", list(map(short_label, rows)), columns)


def _paired_table(console: Console, answer: Answer, setting: str) -> Titled:
    rows, metric = answer.by_validation(setting), SCORE[answer.decision]
    base = answer.base(setting)

    def paired(show: Callable[[Comparison], str], of_base: str = "") -> list[str]:
        return [show(row.found) if row.found else of_base for row in rows]

    columns = {
        "val F1": [number(row.loss.means.get(CRITERIA[answer.decision])) for row in rows],
        "mean ± sd": [mean_and_sd(row.loss, metric) for row in rows],
        "diff. (pp)": paired(lambda found: f"{found.mean:+.2f}"),
        INTERVAL: paired(bounds),
        "p (Holm)": paired(lambda found: p_value(found.p_holm)),
        "seeds": paired(lambda found: str(len(found.seeds)), str(len(base.seeds))),
        "win/tie/loss": paired(lambda found: "/".join(map(str, found.wins_ties_losses))),
        "verdict": paired(lambda found: found.verdict, "baseline"),
    }
    title = ", ".join(filter(None, (base.title, base.runs[0].terms)))
    title += f": test macro F1, paired by seed, {HOW[answer.decision]}"
    names = [row.loss.short for row in rows]
    goes_first, goes_last = ("win/tie/loss", "p (Holm)", "seeds"), ("val F1", "mean ± sd", INTERVAL)
    return title, narrow_table(
        console, "loss", names, columns, goes_first=goes_first, goes_last=goes_last
    )


def _other_scores(console: Console, answer: Answer, setting: str) -> Titled:
    rows, other = answer.by_validation(setting), answer.other_decision
    base = answer.base(setting)
    rare = base.rare_name if base.rare is not None else "rarest class"
    many = f", {base.rows_of_rare} test rows a seed" if base.rows_of_rare else ""
    columns = {
        f"F1 {other}": [
            mean_and_sd(row.other_loss, SCORE[other]) if row.other_loss else "" for row in rows
        ],
        "diff. (pp)": [f"{row.other.mean:+.2f}" if row.other else "" for row in rows],
        INTERVAL: [bounds(row.other) if row.other else "" for row in rows],
        "verdict": [row.other.verdict if row.other else "" for row in rows],
        **{
            short: [score_beside(row.loss, answer.decision, name, 3) for row in rows]
            for name, (short, _) in BESIDE.items()
        },
    }
    title = (
        f"Macro F1 {HOW[other]}; {HOW[answer.decision]} over all seeds' counts pooled, and of the "
        f"rarest class ({rare}{many}); average precision (AP); calibration; time"
    )
    names = [row.loss.short for row in rows]
    goes_first = ("log loss", "Brier", "train s", "recall", "AP", "pooled F1", "rare AP", INTERVAL)
    goes_last = ("ECE", "rare F1", "diff. (pp)", "verdict")
    return title, narrow_table(
        console, "loss", names, columns, goes_first=goes_first, goes_last=goes_last
    )


def _given_tables(console: Console, answer: Answer, setting: str) -> list[Titled]:
    """Each loss at each given setting, some of these beside each other: difference and interval."""
    given = answer.given_of(setting)
    shown = list(given)[:MOST_GIVEN]
    keys = [
        key for key in answer.rows(setting)[0].loss.runs[0].tuned if not key.startswith("loss.")
    ]
    metric = SCORE[answer.decision]
    means = {(loss.setting, loss.label): loss.means.get(metric) for loss in answer.given_losses}
    found = {(one.setting, one.label): one for one in answer.given if one.setting in given}
    at_given = dict.fromkeys(label for _, label in found)
    order = dict.fromkeys([*(one.label for one in answer.of(setting)), *at_given])
    labels = [label for label in order if label in at_given]
    title = (
        f"At given {key_words(keys)}, {HOW[answer.decision]}: the baseline's mean, and "
        "differences to it in pp with 95 % intervals"
    )
    if len(given) > len(shown):
        title += f"; {len(given) - len(shown)} more are in the report"
    base = answer.of(setting)[0].baseline
    tables = []
    for start in range(0, len(shown), MOST_RATES):
        part = shown[start : start + MOST_RATES]
        columns = {
            " ".join(given[one]): [
                number(means.get((one, base))),
                *(difference(found.get((one, label)), "\n") for label in labels),
            ]
            for one in part
        }
        names = [short_label(one) for one in (base, *labels)]
        tables.append((title, narrow_table(console, "loss", names, columns)))
    return tables
