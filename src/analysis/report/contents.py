"""What the report says of the runs: the question, when they ended, what was compared."""

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime

from src.analysis.answer import Answer
from src.analysis.figures.evidence import rows_by_class
from src.analysis.runs import (
    CHANGED,
    COMMIT,
    CONFLICTS,
    DUPLICATES,
    LEARNING_RATE,
    SOURCE,
    key_words,
)
from src.analysis.statistics.losses import LossSummary
from src.errors import override

MOST_ASKED = 4
"""Losses that the question names."""
FOLDERS = re.compile(r"(?<![\w./:+])(?:[A-Za-z]:)?(?:/[\w.@+ -]+)+/")
RUN_ID = re.compile(r"\b([0-9a-f]{8})[0-9a-f]{24}\b")
"""As MLflow makes them."""
SHORT_ID = 8
MISSING = {"impute": "filled, with a column that says where", "refuse": "none"}
MOST_CLASSES = 12
"""Classes whose shares are named."""
RULE = (
    "Epoch and tuned values by macro F1 on the validation split, within each seed; "
    "the test split once, after that."
)


def without_folders(text: str) -> str:
    """A command or a note without the folders of the machine."""
    return FOLDERS.sub("…/", text)


def readable(text: str) -> str:
    """The same for a sentence, with the first characters of run ids."""
    return RUN_ID.sub(r"\1", without_folders(text))


def question(answer: Answer) -> str:
    """The question that the comparison answers."""
    names = list(dict.fromkeys(one.short for one in answer.comparisons))
    base, settings = answer.comparisons[0].base, answer.settings
    on = answer.comparisons[0].title if len(settings) == 1 else f"{len(settings)} settings"
    if len(names) == 1:
        return f"Does {names[0]} beat {base} on {on}?"
    if len(names) < MOST_ASKED:
        return f"Which loss on {on}: {', '.join([base, *names[:-1]])} or {names[-1]}?"
    return f"Which of {len(names) + 1} losses on {on}?"


def made(answer: Answer) -> tuple[str, str]:
    """The day on which the last run ended, and the commit that trained; empty where unknown."""
    runs = answer.selection.runs
    ended = max(run.ended_ms for run in runs)
    commits = {run.facts.get(COMMIT, "")[:SHORT_ID] for run in runs} - {""}
    changed = ", changed" if any(run.facts.get(CHANGED) == "true" for run in runs) else ""
    day = datetime.fromtimestamp(ended / 1000, UTC).strftime("%Y-%m-%d")
    return day, f"{', '.join(sorted(commits))}{changed}" if commits else ""


def compared(answer: Answer, setting: str) -> dict[str, str]:
    """Data and training, by which a reader judges the numbers."""
    base = answer.base(setting)
    run = base.runs[0]
    params = defaultdict(str, run.params)
    sizes = params["model.hidden"] or params["model.filters"]
    budget = {"epochs": params["training.epochs"], "rows a batch": params["training.batch_size"]}
    rows = {
        "data": readable(run.facts.get(SOURCE, run.data)),
        "rows": f"{run.rows_train:,} / {run.rows_val:,} / {run.rows_test:,}"
        " (training / validation / test)",
        **_classes(base),
        "missing values": MISSING.get(params["data.missing"], ""),
        "duplicate rows": _duplicates(run.facts, params["data.duplicates"]),
        "model": f"{params['model.name']} {sizes}".strip(),
        "optimiser": params["training.optimizer._target_"].rpartition(".")[2],
        "learning rate": "" if LEARNING_RATE in run.tuned else params[LEARNING_RATE],
        "grid": _grid(answer, setting),
        "budget": ", ".join(f"{value} {unit}" for unit, value in budget.items() if value),
        "rule": RULE,
    }
    return {name: value for name, value in rows.items() if value}


def _classes(base: LossSummary) -> dict[str, str]:
    """Each class with its shares of the splits, as the first seed has them, the rarest first."""
    run = base.runs[0]
    rows = rows_by_class(run)
    if not rows:
        return {}
    totals = [sum(split) for split in zip(*(counts for _, counts in rows), strict=True)]
    shares = [
        f"{name}: "
        + " / ".join(f"{100 * n / all_of:.1f}" for n, all_of in zip(counts, totals, strict=True))
        + " %"
        for name, counts in rows[:MOST_CLASSES]
    ]
    shares += [f"{len(rows) - MOST_CLASSES} more"] if len(rows) > MOST_CLASSES else []
    found = {f"shares of {len(rows)} classes": "; ".join(shares)}
    if base.rare is not None:
        found["rarest class"] = (
            f"{base.rare_name}: {run.class_counts[base.rare]:,} rows in training, "
            f"{base.rows_of_rare:,} in test"
        )
    return found


def _duplicates(facts: Mapping[str, str], rule: str) -> str:
    """How many rows are there twice, and by which rule that was mended; empty where not counted."""
    rows, conflicts = facts.get(DUPLICATES), facts.get(CONFLICTS, "0")
    if rows is None:
        return ""
    labels = f", {conflicts} of them with another label" if conflicts != "0" else ""
    ruled = f"; {override('data.duplicates', rule)}" if rule and rows != "0" else ""
    return f"{int(rows):,}{labels}{ruled}"


def _grid(answer: Answer, setting: str) -> str:
    """Every key that was tuned, its values, and the trials of each loss."""
    choices = [one for one in answer.best[answer.decision].choices if one.setting == setting]
    grids = {
        f"{key_words([key])} {', '.join(one.grid[key])}": None
        for one in choices
        for key in one.keys
    }
    trials = sorted({n for one in choices for n in one.trials.values()})
    if not grids:
        return ""
    number_of = f"{trials[0]} to {trials[-1]}" if len(trials) > 1 else str(trials[0])
    return f"{'; '.join(grids)}: {number_of} trials a loss and seed"
