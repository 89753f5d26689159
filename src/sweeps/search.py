"""A sweep that searches: Optuna proposes values, each trial is an ordinary job.

Where ``tuning`` names keys these are searched, by a study for each combination of the other values,
such as loss and seed, so that every loss has as many trials. Else one study searches all that the
sweep varies.

``hydra-optuna-sweeper`` 1.3 asks for Optuna below 3; this is the same with Optuna's ask-and-tell
interface, and the same notation: ``loss.gamma='interval(0,5)'``. What is optimised is what a job
returns, a score of the validation split; the test split has no say.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import optuna
from hydra.core.override_parser.types import (
    ChoiceSweep,
    IntervalSweep,
    Override,
    RangeSweep,
    Transformer,
)
from hydra.core.utils import JobStatus
from hydra.errors import InstantiationException
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext
from hydra.utils import instantiate
from omegaconf import DictConfig
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from src.config.legal import require
from src.config.ranges import AUTO, Count, one_of
from src.errors import UserError
from src.sweeps.composer import Composer, split
from src.sweeps.cores import one_thread
from src.sweeps.sweep import Sweep
from src.sweeps.tuning import check_plan, has_key, plan_tags, tuned_keys

COMPARED = ("loss=", "sampling=")
Direction = Annotated[str, one_of("maximize", "minimize")]


def search(
    launcher: Launcher,
    context: HydraContext,
    config: DictConfig,
    overrides: Sequence[Override],
    *,
    n_trials: int,
    n_jobs: int,
    direction: str,
    sampler: Mapping[str, Any],
) -> FrozenTrial | None:
    """Asks for trials, runs them as jobs, and tells how they did.

    Args:
        launcher: runs the jobs.
        context: Hydra's.
        config: the sweep's.
        overrides: those that are sweeps are searched; the last one for a key counts.
        n_trials: of each study.
        n_jobs: how many a study proposes at a time, before any of them has ended.
        direction: ``maximize`` or ``minimize``.
        sampler: one of Optuna's, a node with its ``_target_``.

    Returns:
        The best trial; None where every one failed, or where there are several studies.

    Raises:
        UserError: where nothing is searched, something is no range, or the plan is wrong.
        Exception: what the first job failed with, after all trials.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    require("hydra.sweeper.n_trials", n_trials, Count)
    require("hydra.sweeper.n_jobs", n_jobs, Count)
    require("hydra.sweeper.direction", direction, Direction)
    try:
        keys = tuned_keys(config)
        cells, space = _read(config, overrides, keys)
        studies = [
            optuna.create_study(
                direction=StudyDirection[direction.upper()], sampler=instantiate(sampler)
            )
            for _ in cells
        ]
    except InstantiationException as error:
        raise UserError(f"hydra.sweeper.sampler: {error}") from error
    composer = Composer(context.config_loader, config)
    more = one_thread(config, cells, searched=space)
    tags, losses = plan_tags(keys, _seeds(config, cells)), _over_losses(cells)
    with Sweep(launcher, config, n_trials * len(cells), tags, over_losses=losses) as sweep:
        for first in range(0, n_trials, n_jobs):
            asked = [
                (study, study.ask(space), cell)
                for study, cell in zip(studies, cells, strict=True)
                for _ in range(min(n_jobs, n_trials - first))
            ]
            words = [[*cell, *_words(trial.params), *more] for _, trial, cell in asked]
            jobs = [composer.job(*job) for job in enumerate(words, first * len(cells))]
            for job in jobs:
                composer.config(job)  # a value that fits no key ends the search, in Hydra's words
            sweep.run(jobs)
            for (study, trial, _), job in zip(asked, jobs, strict=True):
                returned = sweep.returned[job.number]
                if returned.status == JobStatus.COMPLETED:
                    study.tell(trial, float(returned.return_value))
                else:
                    study.tell(trial, state=TrialState.FAIL)
        best = _report_best(studies[0], sweep) if len(studies) == 1 else None
    sweep.raise_first_error()
    return best


def _over_losses(cells: Sequence[Sequence[str]]) -> bool:
    """Whether the studies differ in their loss, or in their sampling."""
    values = [{word for cell in cells for word in cell if word.startswith(key)} for key in COMPARED]
    return any(len(one) > 1 for one in values)


def _read(
    config: DictConfig, given: Sequence[Override], keys: Sequence[str]
) -> tuple[list[list[str]], dict[str, BaseDistribution]]:
    """The words of each study, the same in all of its trials, and what is searched."""
    overrides = {one.get_key_element(): one for one in given}
    searched = {
        key: one
        for key, one in overrides.items()
        if one.is_sweep_override() and (not keys or key in keys)
    }
    if not searched and not keys:
        raise UserError(
            "hydra/sweeper=optuna: nothing to search; right is a range, such as "
            "'loss.gamma=interval(0,5)', or choices, such as model=mlp,cosine"
        )
    cells = split([one for key, one in overrides.items() if key not in searched])
    values = {key: {"lowest", "highest"} for key in searched}
    fixed = {
        key: {one.get_value_element_as_str()}
        for key, one in overrides.items()
        if not one.is_sweep_override()
    }
    known = [key for key in keys if has_key(config, key)]
    check_plan(config, known, values | fixed, _seeds(config, cells))
    return cells, {key: distribution(one) for key, one in searched.items()}


def _seeds(config: DictConfig, cells: Sequence[Sequence[str]]) -> set[int]:
    words = [dict(word.split("=", 1) for word in cell) for cell in cells]
    seeds = {str(cell.get("seed", config.get("seed", 0))) for cell in words}
    if AUTO in seeds:
        raise UserError("seed=auto: a search needs its seeds given, such as 'seed=range(0,10)'")
    return set(map(int, seeds))


def _report_best(study: optuna.Study, sweep: Sweep) -> FrozenTrial | None:
    """Prints the best trial and logs it on the sweep's run."""
    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not done:
        return None
    best, value = study.best_trial, float(study.best_value)
    words = " ".join(_words(best.params))
    print(f"Best of {len(done)} trials: job {best.number}, {value:.4f} on validation, {words}")
    if sweep.parent:
        params = {f"best.{key}": chosen for key, chosen in best.params.items()}
        tags = {"best.job": str(best.number), "best.overrides": words}
        sweep.parent.log(params, ("best_value", value), **tags)
    return best


def distribution(override: Override) -> BaseDistribution:
    """What Optuna may propose for a key.

    Args:
        override: ``choice(...)`` or ``a,b``; ``range(a,b,step)``, b excluded; ``interval(a,b)``,
            ``int(interval(a,b))`` for whole numbers; ``tag(log, interval(...))``
            on a logarithmic scale.

    Raises:
        UserError: for any other sweep, and ends that are no range.
    """
    sweep: Any = override.value()
    try:
        if isinstance(sweep, ChoiceSweep):
            items: Any = override.sweep_iterator(transformer=Transformer.encode)
            return CategoricalDistribution(list(items))
        if isinstance(sweep, RangeSweep):
            values = list(sweep.range())
            return _between(min(values), max(values), step=abs(sweep.step))
        if isinstance(sweep, IntervalSweep):
            return _between(sweep.start, sweep.end, log="log" in sweep.tags)
    except ValueError as error:
        raise UserError(f"{override.input_line}: {error}") from error
    raise UserError(
        f"{override.input_line}: cannot be searched; right is choice(...), range(...) or "
        "interval(...)"
    )


def _between(low: Any, high: Any, **options: Any) -> BaseDistribution:
    whole = isinstance(low, int) and isinstance(high, int)
    return (IntDistribution if whole else FloatDistribution)(low, high, **options)


def _words(params: Mapping[str, Any]) -> list[str]:
    return [f"{key}={value}" for key, value in params.items()]
