"""What a sweep is going to do: its jobs, composed and checked before the first is trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.plugins.sweeper import Sweeper
from omegaconf import DictConfig

from src.config.check import check
from src.errors import UserError
from src.runs.identity import config_identity, digest_of
from src.sweeps.sweep_composing import composer_of

HYDRAS_CHECK = Sweeper.validate_batch_is_legal


@dataclass(frozen=True)
class SweepPlan:
    """The jobs of a sweep.

    Attributes:
        jobs: the overrides of each job.
        configs: of each job, resolved.
        identities: of each job's config; equal ones are one experiment.
        forced: whether any job is to be trained though it is done.
        one_source: whether all jobs have the same data, seeds aside.
    """

    jobs: list[list[str]]
    configs: list[dict[str, Any]]
    identities: list[str]
    forced: bool
    one_source: bool

    @property
    def identity(self) -> str:
        """The same for sweeps over the same set of experiments, in any order."""
        return digest_of({"jobs": sorted(set(self.identities))})

    def summary(self) -> str:
        """How many jobs, and how many of them are different experiments."""
        jobs, different = len(self.jobs), len(set(self.identities))
        same = "" if jobs == different else f", {different} different experiments"
        return f"Sweep of {jobs} job{'s' if jobs > 1 else ''}{same}."


def plan_sweep(config: DictConfig) -> SweepPlan | None:
    """Composes and checks every job of a grid sweep.

    Args:
        config: the sweep's config, with its ``hydra`` node.

    Returns:
        The plan; None for a sweeper that picks its jobs as it goes.

    Raises:
        UserError: names the first job whose config is wrong.
    """
    Sweeper.validate_batch_is_legal = HYDRAS_CHECK  # type: ignore[method-assign]
    if "BasicSweeper" not in str(config.hydra.sweeper.get("_target_")):
        return None
    loader = GlobalHydra.instance().config_loader()
    params = config.hydra.sweeper.get("params") or {}
    words = [f"{key}={value}" for key, value in params.items()]
    words += list(config.hydra.overrides.task)
    overrides = OverridesParser.create(config_loader=loader).parse_overrides(words)
    jobs = BasicSweeper.split_arguments(overrides, max_batch_size=None)[0]
    composer = composer_of(loader, config)
    configs = [checked(composer.config(job), number, job) for number, job in enumerate(jobs)]
    identities = [config_identity(plain) for plain in configs]
    forced = any(plain["force"] for plain in configs)
    sources = {_source_of(plain) for plain in configs}
    # Hydra would now compose every job once more, to see whether it can be.
    Sweeper.validate_batch_is_legal = _nothing_to_check  # type: ignore[assignment, method-assign]
    return SweepPlan([list(job) for job in jobs], configs, identities, forced, len(sources) == 1)


def _source_of(config: Mapping[str, Any]) -> str:
    """The same for jobs with the same data, seeds aside."""
    return digest_of({key: value for key, value in config["data"].items() if key != "seed"})


def _nothing_to_check(sweeper: Sweeper, batch: Sequence[Sequence[str]]) -> None:
    """Stands in for Hydra's check of a batch that was checked here."""


def checked(composed: DictConfig, number: int, job: Sequence[str]) -> dict[str, Any]:
    """The resolved config of a job.

    Args:
        composed: as Hydra composed it, with or without its ``hydra`` node.
        number: of the job, from 0.
        job: its overrides.

    Raises:
        UserError: names the job and what is wrong with its config.
    """
    try:
        return check(composed)
    except UserError as error:
        raise UserError(f"job {number} ({' '.join(job)}): {error}") from error
