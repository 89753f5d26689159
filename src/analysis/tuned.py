"""Each loss at its best: of the trials of one loss with one seed, the run that validation chooses.

Trials differ in *tuned keys*: the ``training.*`` keys that vary for a loss and seed, the
``estimator.*`` keys of a reference, and those that the sweep's ``tuning.keys`` names. The choice is
made within each seed, on its validation split, for each decision by its own criterion; what was
chosen is compared as runs at given settings are.
"""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from src.analysis.runs import CRITERIA, FinishedRun, by_setting, key_words, with_titles
from src.errors import UserError
from src.runs.identity import digest_of
from src.runs.labels import SAMPLED_BY

ASKED, LOSS, ESTIMATOR = "tuning.keys", "loss.", "estimator."
NOT_TUNED = ("estimator.name", "estimator.class_weight")
"""Keys of an estimator that make it another reference, not another trial."""
Values = tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """The trials that validation chose for one loss in one setting.

    Attributes:
        setting: of the chosen runs.
        label: the loss, without the knobs that were tuned.
        keys: that were tuned.
        grid: the values of each key that were tried, ascending.
        chosen: the values of the keys, by seed.
        trials: how many each seed had.
    """

    setting: str
    label: str
    keys: tuple[str, ...]
    grid: dict[str, Values]
    chosen: dict[int, Values]
    trials: dict[int, int]

    def counts(self, key: str) -> dict[str, int]:
        """How often each value was chosen, the most frequent first."""
        index = self.keys.index(key)
        return dict(Counter(values[index] for values in self.chosen.values()).most_common())

    @property
    def words(self) -> str:
        """``learning rate chosen: 0.01 x 7, 0.03 x 3``."""
        parts = [
            f"{key_words([key])} chosen: "
            + ", ".join(f"{value} x {count}" for value, count in self.counts(key).items())
            for key in self.keys
        ]
        return "; ".join(parts)

    def at_edge(self, key: str) -> dict[str, int]:
        """For how many seeds the smallest or the largest number of a grid was chosen."""
        values = self.grid[key]
        if len(values) < 2 or any(_number(value) is None for value in values):
            return {}
        return {edge: n for edge, n in self.counts(key).items() if edge in (values[0], values[-1])}


@dataclass(frozen=True)
class Best:
    """The runs that are compared at one decision.

    Attributes:
        runs: the chosen ones, one for each setting without its tuned keys, loss, and seed; and all
            those of settings in which nothing was tuned.
        choices: one for each loss and setting.
        given: by setting of the chosen runs, the settings they were chosen from and the values of
            these, ascending.
    """

    runs: list[FinishedRun] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    given: dict[str, dict[str, Values]] = field(default_factory=dict)


def at_best(runs: Sequence[FinishedRun], decision: str, asked: Iterable[str] = ()) -> Best:
    """Chooses a run for each setting, loss and seed, where any has several trials.

    Args:
        runs: finished runs; the last counts where several have the same setting, loss and seed.
        decision: ``argmax`` or ``tuned``.
        asked: keys that are tuned where they vary, beside those that the runs name.

    Raises:
        UserError: where the trials of a loss and seed were trained on different splits, or have no
            score on the validation split.
    """
    found = Best()
    last = [
        run
        for losses in by_setting(run for run in runs if run.score(decision) is not None).values()
        for of_loss in losses.values()
        for run in of_loss.values()
    ]
    candidates = _candidates(last, asked)
    for group in _grouped(last, candidates).values():
        keys = _tuned_in(group, candidates)
        if not keys:
            found.runs.extend(group)
            continue
        for setting, alike in _grouped(group, keys).items():
            _choose(found, setting, alike, keys, decision)
    return replace(found, runs=with_titles(found.runs))


def _grouped(runs: Sequence[FinishedRun], without: Sequence[str]) -> dict[str, list[FinishedRun]]:
    """Runs by a hash of their setting without some keys."""
    groups: dict[str, list[FinishedRun]] = defaultdict(list)
    known: dict[tuple[str, frozenset[tuple[str, str]]], str] = {}
    for run in runs:
        kept = frozenset(item for item in run.setting_params.items() if item[0] not in without)
        key = run.title, kept
        if key not in known:
            plain = {name: _plain(value) for name, value in kept}
            known[key] = digest_of({"title": run.title, "best": plain})
        groups[known[key]].append(run)
    return groups


def _candidates(runs: Sequence[FinishedRun], keys: Iterable[str]) -> tuple[str, ...]:
    """Keys that may have been tuned: asked for, or varied in training or in an estimator."""
    named = {run.params.get(ASKED, "[]") for run in runs}
    asked = {*keys, *(key for several in named for key in ast.literal_eval(several))}
    values: dict[str, set[str]] = defaultdict(set)
    for run in runs:
        own = {k: v for k, v in run.params.items() if k.startswith(ESTIMATOR)}
        for name, value in (run.setting_params | own).items():
            if name.startswith(("training.", ESTIMATOR)) and name not in NOT_TUNED:
                values[name].add(value)
    return tuple(sorted(asked | {name for name, several in values.items() if len(several) > 1}))


def _tuned_in(group: Sequence[FinishedRun], candidates: Sequence[str]) -> tuple[str, ...]:
    """The keys of which some loss has several values with one seed."""
    seen: dict[tuple[str, str, int], set[str]] = defaultdict(set)
    for run in group:
        label = _label(run.label, candidates)
        for key in candidates:
            if key in run.params and _uses(run, key):
                seen[key, label, run.seed].add(run.params[key])
    return tuple(
        key for key in candidates if any(len(v) > 1 for k, v in seen.items() if k[0] == key)
    )


def _uses(run: FinishedRun, key: str) -> bool:
    """Whether a run uses a key: it uses a knob of the loss that its label shows."""
    if key.startswith(ESTIMATOR):
        return key in run.params
    return not key.startswith(LOSS) or _label(run.label, [key]) != run.label


def _label(label: str, keys: Iterable[str]) -> str:
    """The loss, or the estimator, without the knobs that were tuned."""
    tuned = {key.rpartition(".")[2] for key in keys if key.startswith((LOSS, ESTIMATOR))}
    loss, plus, sampling = label.partition(SAMPLED_BY)
    name, _, inside = loss.partition("(")
    knobs = re.split(r", (?=\w+=)", inside.removesuffix(")"))  # a list has commas of its own
    kept = [knob for knob in knobs if knob and knob.partition("=")[0] not in tuned]
    loss = f"{name}({', '.join(kept)})" if kept else name
    return f"{loss}{plus}{sampling}"


def _choose(
    found: Best, setting: str, group: Sequence[FinishedRun], keys: tuple[str, ...], decision: str
) -> None:
    """Adds the chosen runs of one setting, and what was chosen, to what was found."""
    of_setting = tuple(key for key in keys if not key.startswith((LOSS, ESTIMATOR)))
    trials: dict[str, dict[int, list[FinishedRun]]] = defaultdict(lambda: defaultdict(list))
    for run in sorted(group, key=lambda run: [_order(value) for value in _values(run, keys)]):
        trials[_label(run.label, keys)][run.seed].append(run)
        given = found.given.setdefault(setting, {})
        given.setdefault(run.setting, _values(run, of_setting))
    for label, by_seed in trials.items():
        best = {seed: _by_validation(by_seed[seed], decision) for seed in sorted(by_seed)}
        found.runs.extend(
            replace(run, setting=setting, label=label, tuned=keys) for run in best.values()
        )
        every = [run for runs in by_seed.values() for run in runs]
        own = tuple(key for key in keys if _uses(every[0], key))
        grid = {key: tuple(sorted({run.params[key] for run in every}, key=_order)) for key in own}
        chosen = {seed: _values(run, own) for seed, run in best.items()}
        numbers = {seed: len(by_seed[seed]) for seed in best}
        found.choices.append(Choice(setting, label, own, grid, chosen, numbers))


def _by_validation(trials: Sequence[FinishedRun], decision: str) -> FinishedRun:
    """The best trial of a loss and seed; the first of equal ones, in the order of their values."""
    first = trials[0]
    if len({run.fingerprint for run in trials}) > 1:
        raise UserError(
            f"seed {first.seed}: the trials of {first.label} were trained on different splits; "
            "force=true trains them again on today's data"
        )
    name = CRITERIA[decision]
    if all(name in run.metrics for run in trials):
        return max(trials, key=lambda run: run.metrics[name])
    raise UserError(
        f"{first.label} seed {first.seed}: has no {name} to choose a trial by; "
        "force=true trains again"
    )


def _values(run: FinishedRun, keys: Sequence[str]) -> Values:
    return tuple(run.params.get(key, "") for key in keys)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _plain(text: str) -> str:
    """A number in one way of writing it, so that 2 and 2.0 are one value."""
    number = _number(text)
    return text if number is None else str(number)


def _order(text: str) -> tuple[bool, float, str]:
    """Sorts numbers by size, and before words."""
    number = _number(text)
    return number is None, number or 0.0, text
