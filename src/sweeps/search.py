"""A sweep that searches: Optuna proposes values, each trial is an ordinary job.

``hydra-optuna-sweeper`` 1.3 asks for Optuna below 3; this is the same with Optuna's ask-and-tell
interface, and the same notation: ``loss.gamma='interval(0,5)'``. What is optimised is what a job
returns, a score of the validation split; the test split has no say.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from hydra.core.override_parser.types import (
    ChoiceSweep,
    IntervalSweep,
    Override,
    RangeSweep,
    Transformer,
)
from hydra.core.utils import JobReturn, JobStatus
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
from optuna.trial import FrozenTrial, Trial, TrialState

from src.errors import UserError
from src.sweeps.jobs import compose
from src.sweeps.sweep import Sweep

DIRECTIONS = ("maximize", "minimize")
LOG_TAG = "log"
"""As in ``tag(log, interval(1e-4, 1e-1))``: on a logarithmic scale."""


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
        n_trials: how many jobs there are.
        n_jobs: how many are proposed at a time, before any of them has ended.
        direction: ``maximize`` or ``minimize``.
        sampler: one of Optuna's, a node with its ``_target_``.

    Returns:
        The best trial; None where every one failed.

    Raises:
        UserError: where nothing is searched, or something is no range.
        Exception: what the first job failed with, after all trials.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    for key, value in (("n_trials", n_trials), ("n_jobs", n_jobs)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise UserError(f"hydra.sweeper.{key}={value}: must be a whole number from 1")
    if direction not in DIRECTIONS:
        raise UserError(
            f"hydra.sweeper.direction={direction}: must be one of {', '.join(DIRECTIONS)}"
        )
    fixed, space = _read(overrides)
    try:
        study = optuna.create_study(
            direction=StudyDirection[direction.upper()], sampler=instantiate(sampler)
        )
    except InstantiationException as error:
        raise UserError(f"hydra.sweeper.sampler: {error}") from error
    with Sweep(config, n_trials) as sweep:
        for first in range(0, n_trials, n_jobs):
            trials = [study.ask(space) for _ in range(min(n_jobs, n_trials - first))]
            words = [[*fixed, *_words(trial.params)] for trial in trials]
            jobs = [compose(context, config, one, first + i) for i, one in enumerate(words)]
            sweep.run(launcher, jobs)
            for trial, job in zip(trials, jobs, strict=True):
                _tell(study, trial, sweep.returned[job.number])
        best = _report_best(study, sweep)
    sweep.raise_first_error()
    return best


def _read(given: Sequence[Override]) -> tuple[list[str], dict[str, BaseDistribution]]:
    """What stays the same in all trials, and what is searched."""
    overrides = {one.get_key_element(): one for one in given}
    space = {
        key: distribution(override)
        for key, override in overrides.items()
        if override.is_sweep_override()
    }
    if not space:
        raise UserError(
            "hydra/sweeper=optuna: nothing to search; right is a range, such as "
            "'loss.gamma=interval(0,5)', or choices, such as model=mlp,cosine"
        )
    fixed = [
        f"{key}={override.get_value_element_as_str()}"
        for key, override in overrides.items()
        if key not in space
    ]
    return fixed, space


def _tell(study: optuna.Study, trial: Trial, returned: JobReturn) -> None:
    """Hands a job's score to the sampler."""
    if returned.status == JobStatus.COMPLETED:
        study.tell(trial, float(returned.return_value))
    else:
        study.tell(trial, state=TrialState.FAIL)


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
            if all(isinstance(value, int) for value in values):
                step = abs(int(sweep.step))
                return IntDistribution(int(min(values)), int(max(values)), step=step)
            return FloatDistribution(min(values), max(values), step=abs(float(sweep.step)))
        if isinstance(sweep, IntervalSweep):
            low, high = sweep.start, sweep.end
            log = LOG_TAG in sweep.tags
            if isinstance(low, int) and isinstance(high, int):
                return IntDistribution(low, high, log=log)
            return FloatDistribution(float(low or 0), float(high or 0), log=log)
    except ValueError as error:
        raise UserError(f"{override.input_line}: {error}") from error
    raise UserError(
        f"{override.input_line}: cannot be searched; right is choice(...), range(...) or "
        "interval(...)"
    )


def _words(params: Mapping[str, Any]) -> list[str]:
    return [f"{key}={value}" for key, value in params.items()]
