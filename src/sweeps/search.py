"""A sweep that searches: Optuna proposes values, each trial is an ordinary job.

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

from src.config.legal import problems
from src.config.ranges import Count, one_of
from src.errors import UserError
from src.sweeps.jobs import compose
from src.sweeps.sweep import Sweep

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
    options = {"n_trials": (n_trials, Count), "n_jobs": (n_jobs, Count)}
    for key, (value, legal) in (options | {"direction": (direction, Direction)}).items():
        for _, reason in problems(value, legal, strict=True):
            raise UserError(f"hydra.sweeper.{key}={value}: {reason}")
    try:
        study = optuna.create_study(
            direction=StudyDirection[direction.upper()], sampler=instantiate(sampler)
        )
    except InstantiationException as error:
        raise UserError(f"hydra.sweeper.sampler: {error}") from error
    fixed, space = _read(overrides)
    with Sweep(config, n_trials) as sweep:
        for first in range(0, n_trials, n_jobs):
            trials = [study.ask(space) for _ in range(min(n_jobs, n_trials - first))]
            words = [[*fixed, *_words(trial.params)] for trial in trials]
            sweep.run(launcher, [compose(context, config, *job) for job in enumerate(words, first)])
            for trial in trials:
                returned = sweep.returned[trial.number]
                if returned.status == JobStatus.COMPLETED:
                    study.tell(trial, float(returned.return_value))
                else:
                    study.tell(trial, state=TrialState.FAIL)
        best = _report_best(study, sweep)
    sweep.raise_first_error()
    return best


def _read(given: Sequence[Override]) -> tuple[list[str], dict[str, BaseDistribution]]:
    """The words that stay the same in all trials, and what is searched."""
    overrides = {one.get_key_element(): one for one in given}
    sweeps = {key: one for key, one in overrides.items() if one.is_sweep_override()}
    if not sweeps:
        raise UserError(
            "hydra/sweeper=optuna: nothing to search; right is a range, such as "
            "'loss.gamma=interval(0,5)', or choices, such as model=mlp,cosine"
        )
    fixed = {
        key: one.get_value_element_as_str() for key, one in overrides.items() if key not in sweeps
    }
    return _words(fixed), {key: distribution(one) for key, one in sweeps.items()}


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
