"""The jobs of one launch: in what order they run, and what a worker needs for each."""

from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.singleton import Singleton
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

from src.errors import UserError
from src.runs.identity import config_identity, digest_of
from src.sweeps.sweep import under_way
from src.sweeps.sweep_composing import composer_of
from src.sweeps.sweep_plan import checked
from src.sweeps.worker import Task

Config = dict[str, Any]


class Jobs:
    """What an engine is given.

    A job is composed when its turn comes, so that the first ones need not wait for the others.

    Args:
        context: Hydra's.
        function: the job.
        config: the sweep's config.
        overrides: of each job.
        first: number of the first job.

    Attributes:
        overrides: of each job.
        configs: of each, resolved; empty where it is wrong, which the job itself will say.
        order: places of the jobs in the lists above, alike ones beside each other, those that
            repeat an earlier one's experiment last.
        repeats: how many the last ones are.
    """

    def __init__(
        self,
        context: HydraContext,
        function: TaskFunction,
        config: DictConfig,
        overrides: Sequence[Sequence[str]],
        first: int,
    ) -> None:
        self.overrides = [list(words) for words in overrides]
        self._context, self._function, self._first = context, function, first
        self._state = Singleton.get_state()
        sweep = under_way()
        plan = sweep.plan if sweep else None
        self._composer = composer_of(context.config_loader, config)
        if plan and plan.jobs[first : first + len(self.overrides)] == self.overrides:
            self.configs = plan.configs[first : first + len(self.overrides)]
        else:  # of a sweeper that picks its jobs as it goes
            self.configs = [self._resolved(place) for place in range(len(self.overrides))]
        self.order, self.repeats = _order(self.configs)

    def __len__(self) -> int:
        """How many."""
        return len(self.overrides)

    def packed(self, place: int) -> bytes:
        """A job, for the way to a worker."""
        number = self._first + place
        config = self._composer.job(self.overrides[place])
        with open_dict(config):
            config.hydra.job.id = str(number)
            config.hydra.job.num = number
        return Task(config, self._context, self._function, self._state).pack()

    def _resolved(self, place: int) -> Config:
        words = self.overrides[place]
        try:
            return checked(self._composer.config(words), self._first + place, words)
        except UserError:
            return {}


def kind_of(config: Mapping[str, Any]) -> str:
    """The same for jobs that differ in their seeds alone: they share what a worker keeps.

    Args:
        config: resolved.
    """
    parts = {name: config[name] for name in ("model", "metric", "training", "data")}
    plain = {
        name: {key: value for key, value in part.items() if key != "seed"}
        for name, part in parts.items()
    }
    return digest_of({**plain, "loss": config["loss"]["fn"]})


def _order(configs: Sequence[Config]) -> tuple[list[int], int]:
    """Places in the order in which they run, and how many of them repeat an experiment."""
    seen: set[str] = set()
    kinds: dict[str, list[int]] = {}
    repeats = []
    for place, config in enumerate(configs):
        identity = config_identity(config) if config else str(place)
        if identity in seen:
            repeats.append(place)
        else:
            kinds.setdefault(kind_of(config) if config else "", []).append(place)
        seen.add(identity)
    return [*(place for alike in kinds.values() for place in alike), *repeats], len(repeats)
