"""A sweep that searches: Optuna proposes values, each trial is an ordinary job.

``hydra-optuna-sweeper`` 1.3 asks for Optuna below 3; this is the same with Optuna's ask-and-tell
interface, and the same notation: ``loss.gamma='interval(0,5)'``. What is optimised is what a job
returns, a score of the validation split; the test split has no say.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    ChoiceSweep,
    IntervalSweep,
    Override,
    RangeSweep,
    Transformer,
)
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.study import StudyDirection
from optuna.trial import Trial, TrialState

from src.errors import UserError
from src.sweeps.best import Best, report_best

DIRECTIONS = ("maximize", "minimize")
LOG_TAG = "log"
"""As in ``tag(log, interval(1e-4, 1e-1))``: on a logarithmic scale."""


class Search:
    """Asks for trials, launches them as jobs, and tells how they did.

    Args:
        launcher: runs the jobs.
        context: Hydra's.
        config: the sweep's config.
        params: what is searched, beside what the command line says; key to sweep.
        n_trials: how many jobs.
        n_jobs: how many are proposed at a time, before any of them has ended.
        direction: ``maximize`` or ``minimize``.
        sampler: one of Optuna's, made already.
    """

    def __init__(
        self,
        launcher: Launcher,
        context: HydraContext,
        config: DictConfig,
        *,
        params: Mapping[str, Any] | None,
        n_trials: int,
        n_jobs: int,
        direction: str,
        sampler: optuna.samplers.BaseSampler,
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        logging.getLogger("optuna").setLevel(logging.WARNING)
        self._launcher, self._context, self._config = launcher, context, config
        for key, value in (("n_trials", n_trials), ("n_jobs", n_jobs)):
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise UserError(f"hydra.sweeper.{key}={value}: must be a whole number from 1")
        if direction not in DIRECTIONS:
            raise UserError(
                f"hydra.sweeper.direction={direction}: must be one of {', '.join(DIRECTIONS)}"
            )
        self._params, self._n_trials, self._n_jobs = params or {}, n_trials, n_jobs
        self._study = optuna.create_study(
            direction=StudyDirection[direction.upper()], sampler=sampler
        )

    def run(self, words: Sequence[str]) -> Best | None:
        """Runs all trials.

        Args:
            words: overrides of the command line; those that are sweeps are searched.

        Returns:
            The best trial; None where every one failed.

        Raises:
            UserError: where nothing is searched, or something is no range.
            Exception: what the first job failed with, after all trials.
        """
        fixed, space = self._read(words)
        folder = Path(self._config.hydra.sweep.dir)
        folder.mkdir(parents=True, exist_ok=True)
        OmegaConf.save(self._config, folder / "multirun.yaml")
        failed: list[JobReturn] = []
        for first in range(0, self._n_trials, self._n_jobs):
            number = min(self._n_jobs, self._n_trials - first)
            trials = [self._study.ask(space) for _ in range(number)]
            jobs = [[*fixed, *_words(trial)] for trial in trials]
            returned = self._launcher.launch(jobs, initial_job_idx=first)
            for trial, job in zip(trials, returned, strict=True):
                failed += self._tell(trial, job)
        best = self._best()
        if best is not None:
            report_best(best)
        for job in failed:
            _ = job.return_value  # raises what the job failed with
        return best

    def _tell(self, trial: Trial, job: JobReturn) -> list[JobReturn]:
        """Hands a job's score to the sampler; the job again where it failed."""
        if job.status != JobStatus.COMPLETED:
            self._study.tell(trial, state=TrialState.FAIL)
            return [job]
        self._study.tell(trial, float(job.return_value))
        return []

    def _best(self) -> Best | None:
        done = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if not done:
            return None
        best = self._study.best_trial
        return Best(best.number, float(best.value or 0.0), dict(best.params), len(done))

    def _read(self, words: Sequence[str]) -> tuple[list[str], dict[str, BaseDistribution]]:
        """What stays the same in all trials, and what is searched; the command line wins."""
        parser = OverridesParser.create(config_loader=self._context.config_loader)
        written = [f"{key}={value}" for key, value in self._params.items()]
        overrides = {
            override.get_key_element(): override
            for override in parser.parse_overrides([*written, *words])
        }
        fixed, space = [], {}
        for key, override in overrides.items():
            if override.is_sweep_override():
                space[key] = distribution(override)
            else:
                fixed.append(f"{key}={override.get_value_element_as_str()}")
        if not space:
            raise UserError(
                "hydra/sweeper=optuna: nothing to search; right is a range, such as "
                "'loss.gamma=interval(0,5)', or choices, such as model=mlp,cosine"
            )
        return fixed, space


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


def _words(trial: Trial) -> list[str]:
    return [f"{key}={value}" for key, value in trial.params.items()]
