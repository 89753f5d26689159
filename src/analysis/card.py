"""The answer in one setting at first sight: the card that every output shows."""

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from src.analysis.notes import tuning_command
from src.analysis.runs import LEARNING_RATE
from src.analysis.statistics.comparison import Comparison
from src.analysis.statistics.design import SEEDS
from src.analysis.statistics.verdict import UNDECIDED

if TYPE_CHECKING:
    from src.analysis.answer import Answer

SHORTLY = {"argmax": "by argmax", "tuned": "with tuned thresholds", "prior": "by prior"}
MOST_SEEDS = 200
"""Nobody is asked to train more of them."""


@dataclass(frozen=True)
class Statement:
    """The first sentences on a setting; without full stops, some empty.

    Attributes:
        head: what the sentence begins with.
        sentence: what to take, and why.
        action: what the command does.
        command: to type.
        aside: what follows.
    """

    head: str
    sentence: str
    action: str = ""
    command: str = ""
    aside: str = ""


@dataclass(frozen=True)
class Step:
    """The next thing to do.

    Attributes:
        text: why, a clause without its full stop.
        command: to type; empty where there is nothing to type.
    """

    text: str
    command: str = ""


@dataclass(frozen=True)
class Card:
    """The answer in one setting.

    Attributes:
        setting: hash of what its losses share.
        title: data and model, for people.
        badge: one of the verdicts of docs/comparison.md.
        headline: which loss against which, by how much at both decisions, over how many seeds;
            without a full stop.
        seeds: how many are compared.
        needed: how many would decide it; None where it is decided, or where that is not known.
        limits: what the answer does not know, as sentences without full stops.
        step: what to do next.
    """

    setting: str
    title: str
    badge: str
    headline: str
    seeds: int
    needed: int | None
    limits: list[str]
    step: Step


def card(answer: "Answer", setting: str) -> Card:
    """The card of a setting; its badge is the verdict on one loss at the judged decision.

    That loss is the recommended one, or the best on validation where the baseline is recommended:
    no test score has a part in which one is named.
    """
    first = answer.first(setting)
    return Card(
        setting=setting,
        title=first.title,
        badge=first.verdict,
        headline=_headline(answer, first),
        seeds=len(first.seeds),
        needed=first.needed if first.verdict == UNDECIDED else None,
        limits=answer.limits[setting],
        step=_step(answer, first),
    )


def _headline(answer: "Answer", first: Comparison) -> str:
    beside = [
        one for one in answer.others if (one.setting, one.label) == (first.setting, first.label)
    ]
    several = len(answer.of(first.setting))
    advised = first.label in {one.label for one in answer.advice(first.setting)}
    chosen = f"recommended of {several}" if advised else f"the best of {several} on validation"
    among = f", {chosen}," if several > 1 else ""
    several_seeds = len(first.seeds) > 1
    known = ", ".join(
        f"{one.in_points} {SHORTLY[one.decision]}{f' ({one.verdict})' if several_seeds else ''}"
        for one in (first, *beside)
    )
    seeds = first.in_seeds if several_seeds else first.estimate.design.one_seed
    basis = "; ".join(filter(None, (known, first.tuning, seeds)))
    return f"{first.short}{among} against {first.base}: {basis}"


def _step(answer: "Answer", first: Comparison) -> Step:
    """The step that tells most of what is not known yet."""
    scale = answer.scale.get(first.setting)
    run = answer.base(first.setting).runs[0]
    advice, design = answer.advice(first.setting), first.estimate.design
    if len(first.seeds) < 2:
        return Step("More seeds tell the spread", _with_seeds(answer, 0, design.plan(SEEDS)))
    if scale and scale.leads:
        return Step(scale.advice, scale.command)
    if LEARNING_RATE in run.params and LEARNING_RATE not in run.tuned:
        text = "Each loss at its own best learning rate is not known; this finds it"
        return Step(text, tuning_command(answer.selection.command))
    if first.verdict == UNDECIDED and first.needed is not None and first.needed <= MOST_SEEDS:
        start = design.plan(max(first.seeds) + 1)
        text = f"About {first.needed} fresh seeds would decide it"
        return Step(text, _with_seeds(answer, start, start + first.needed))
    if advice and advice[0].command:
        text = f"This puts what is recommended, {advice[0].name}, into the model registry"
        return Step(text, advice[0].command)
    return Step(f"More seeds would tell no more; {design.more}")


def _with_seeds(answer: "Answer", start: int, stop: int) -> str:
    """The sweep's command with other seeds, in quotes for the shell."""
    words = shlex.split(answer.selection.command) or ["train.py", "-m", "..."]
    others = [word for word in words if not word.startswith("seed=")]
    return f"python {shlex.join([*others, f'seed=range({start},{stop})'])}"
