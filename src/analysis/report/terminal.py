"""Shows an answer on the terminal: each loss at its best, then at given settings, in words last."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from rich import box
from rich.console import Console
from rich.table import Table

from src.analysis.answer import Answer, Statement
from src.analysis.for_scale import ForScale
from src.analysis.report.text import (
    BESIDE,
    HOW,
    bounds,
    interval_in_short,
    mean_and_sd,
    number,
    p_value,
    score_beside,
)
from src.analysis.runs import SCORE, key_words
from src.analysis.statistics.comparison import Comparison

WIDTH = 130
"""Columns where the output is no terminal."""
NAME = 16
"""Columns that the name of a loss has at least."""
MOST_RATES = 5
"""Given settings beside each other."""
MOST_GIVEN = 10
"""Given settings that are shown; the report has them all."""
Columns = Mapping[str, Sequence[str]]
Titled = tuple[str, Table]


def print_answer(answer: Answer, console: Console | None = None) -> None:
    """Prints every setting's tables, sentences and notes, then the recommendations."""
    if console is None:
        console = Console() if Console().is_terminal else Console(width=WIDTH)
    say = partial(console.print, markup=False, highlight=False, soft_wrap=True)
    for setting in answer.settings:
        for title, table in (
            _paired_table(console, answer, setting),
            _other_scores(console, answer, setting),
        ):
            console.print(title, table, sep="\n")
        for one in answer.of(setting):
            say(f"{one.title}: {one.sentence}")
            for note in one.missing:
                say(f"  {note}")
        for note in answer.notes[setting]:
            say(f"  {note}")
        if setting in answer.scale:
            console.print("", *_scale_table(answer.scale[setting]), sep="\n")
        for title, table in _given_tables(answer, setting):
            console.print("", title, table, sep="\n")
    for note in answer.left_out:
        say(f"left out: {note}")
    for advice in answer.recommendations:
        for said in answer.statements(advice):
            _state(say, said)
    if answer.homework:
        say(f"\n{answer.homework.text}")
    say("")


def _state(say: Callable[[str], None], said: Statement) -> None:
    say(f"\n{said.head}: {said.sentence}." if said.head else f"\n{said.sentence}.")
    for line in (said.action and f"{said.action}:", said.command, said.aside and f"{said.aside}."):
        if line:
            say(f"  {line}")


def _scale_table(scale: ForScale) -> Titled:
    """Each reference at both decisions, in two lines: its score, and how far it is from advice."""
    rows = scale.by_label
    columns: dict[str, list[str]] = {}
    for decision in next(iter(rows.values())):
        found = [rows[label].get(decision) for label in rows]
        columns[f"F1 {decision}"] = [f"{row.score:.4f}" if row else "" for row in found]
        columns[f"diff. {decision}"] = [
            _cell(row.against, f" {row.against.verdict}") if row else "" for row in found
        ]
    title = (
        "For scale, no networks, on the same splits: differences to the recommendation, "
        f"{scale.recommended}, in pp; Holm over these {len(scale.rows)} alone"
    )
    return title, _table(list(rows), columns, "reference")


def _paired_table(console: Console, answer: Answer, setting: str) -> Titled:
    rows, metric = answer.rows(setting), SCORE[answer.decision]
    base = rows[0].loss

    def paired(show: Callable[[Comparison], str], of_base: str = "") -> list[str]:
        return [show(row.found) if row.found else of_base for row in rows]

    columns = {
        "mean ± sd": [mean_and_sd(row.loss, metric) for row in rows],
        "diff. (pp)": paired(lambda found: f"{found.mean:+.2f}"),
        "95 % interval": paired(bounds),
        "p (Holm)": paired(lambda found: p_value(found.p_holm)),
        "seeds": paired(lambda found: str(len(found.seeds)), str(len(base.seeds))),
        "win/tie/loss": paired(lambda found: "/".join(map(str, found.wins_ties_losses))),
        "verdict": paired(lambda found: found.verdict, "baseline"),
    }
    title = ", ".join(filter(None, (base.title, base.runs[0].terms)))
    title += f": test macro F1, paired by seed, {HOW[answer.decision]}"
    names = [row.loss.label for row in rows]
    goes_first = ("win/tie/loss", "p (Holm)", "seeds")
    return title, _fitting(console, names, columns, goes_first)


def _other_scores(console: Console, answer: Answer, setting: str) -> Titled:
    rows, other = answer.rows(setting), answer.other_decision
    base = rows[0].loss
    rare = base.rare_name if base.rare is not None else "rarest class"
    many = f", {base.rows_of_rare} test rows a seed" if base.rows_of_rare else ""
    columns = {
        f"F1 {other}": [
            mean_and_sd(row.other_loss, SCORE[other]) if row.other_loss else "" for row in rows
        ],
        "diff. (pp)": [f"{row.other.mean:+.2f}" if row.other else "" for row in rows],
        **{
            short: [score_beside(row.loss, answer.decision, name, 3) for row in rows]
            for name, (short, _) in BESIDE.items()
        },
    }
    title = (
        f"Macro F1 {HOW[other]}; {HOW[answer.decision]} over all seeds' counts pooled, and of the "
        f"rarest class ({rare}{many}); average precision (AP); calibration; time"
    )
    names = [row.loss.label for row in rows]
    goes_first = ("log loss", "Brier", "train s", "recall", "AP", "pooled F1", "diff. (pp)")
    return title, _fitting(console, names, columns, goes_first)


def _given_tables(answer: Answer, setting: str) -> list[Titled]:
    """Each loss at each given setting, some of these beside each other: difference and interval."""
    given = answer.given_of(setting)
    shown = list(given)[:MOST_GIVEN]
    keys = [
        key for key in answer.rows(setting)[0].loss.runs[0].tuned if not key.startswith("loss.")
    ]
    metric = SCORE[answer.decision]
    means = {(loss.setting, loss.label): loss.means.get(metric) for loss in answer.given_losses}
    found = {(one.setting, one.label): one for one in answer.given if one.setting in given}
    first = [one.label for one in answer.of(setting)]
    labels = list(dict.fromkeys([*first, *(label for _, label in found)]))
    labels = [label for label in labels if any(label == other for _, other in found)]
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
                *(_cell(found.get((one, label))) for label in labels),
            ]
            for one in part
        }
        tables.append((title, _table([base, *labels], columns, no_wrap=False)))
    return tables


def _cell(found: Comparison | None, more: str = "") -> str:
    return f"{found.mean:+.1f}{more}\n{interval_in_short(found)}" if found else ""


def _fitting(
    console: Console, names: Sequence[str], columns: Columns, goes_first: Sequence[str]
) -> Table:
    """A table as wide as the console allows: some columns go before the losses lose their names."""
    widths = {name: max(map(len, (name, *cells))) + 2 for name, cells in columns.items()}
    kept = [name for name, cells in columns.items() if any(cells)]
    for name in goes_first:
        if name in kept and NAME + 4 + sum(widths[one] for one in kept) > console.width:
            kept.remove(name)
    return _table(names, {name: columns[name] for name in kept})


def _table(
    names: Sequence[str], columns: Columns, head: str = "loss", *, no_wrap: bool = True
) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(head, overflow="fold", min_width=NAME)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=no_wrap)
    for row in zip(names, *columns.values(), strict=True):
        table.add_row(*row)
    return table
