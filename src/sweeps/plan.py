"""The jobs of a grid, all composed and checked before the first is trained."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from hydra.core.override_parser.types import Override
from hydra.types import HydraContext
from omegaconf import DictConfig

from src.config.check import check
from src.errors import UserError
from src.runs.identity import config_identity, digest_of
from src.sweeps.jobs import Job, compose


def split(overrides: Sequence[Override]) -> list[list[str]]:
    """The words of each job: every combination of the values, the last key fastest.

    Args:
        overrides: parsed; of a key that is there twice the last one counts.

    Raises:
        UserError: for a sweep that lists no values.
    """
    values: dict[str, list[str]] = {}
    for override in overrides:
        key, found = override.get_key_element(), _values(override)
        if not found:
            raise UserError(
                f"{override.input_line}: a grid needs values, such as a,b or range(0,5); "
                "hydra/sweeper=optuna searches an interval"
            )
        values[key] = [f"{key}={value}" for value in found]
    return [list(words) for words in itertools.product(*values.values())]


def _values(override: Override) -> list[str]:
    """The values that a word lists; none for an interval, or a range without a step."""
    if not override.is_sweep_override():
        return [override.get_value_element_as_str()]
    try:
        return list(override.sweep_string_iterator()) if override.is_discrete_sweep() else []
    except ValueError:
        return []


@dataclass(frozen=True)
class Plan:
    """The jobs of a grid, in the order in which they were typed.

    Attributes:
        jobs: all of them.
        identities: of their configs; equal ones are one experiment.
        forced: whether any job is to be trained though it is done.
        one_source: whether all jobs have the same data, seeds aside.
    """

    jobs: list[Job]
    identities: list[str]
    forced: bool
    one_source: bool

    @classmethod
    def of(
        cls,
        context: HydraContext,
        master: DictConfig,
        words_of_jobs: Sequence[Sequence[str]],
        first: int = 0,
    ) -> "Plan":
        """Composes and checks jobs, the first of which has the number FIRST.

        Raises:
            UserError: names the first job whose config is wrong.
        """
        jobs, configs = [], []
        for number, words in enumerate(words_of_jobs, first):
            jobs.append(compose(context, master, words, number))
            try:
                configs.append(check(jobs[-1].config))
            except UserError as error:
                raise UserError(f"job {number} ({' '.join(words)}): {error}") from error
        identities = [config_identity(config) for config in configs]
        sources = [{**config["data"], "seed": None} for config in configs]
        return cls(
            jobs,
            identities,
            forced=any(config["force"] for config in configs),
            one_source=all(source == sources[0] for source in sources),
        )

    @property
    def identity(self) -> str:
        """The same for sweeps over the same set of experiments, in any order."""
        return digest_of({"jobs": sorted(set(self.identities))})

    def summary(self) -> str:
        """How many jobs there are, and how many of them are different experiments."""
        jobs, different = len(self.jobs), len(set(self.identities))
        same = "" if jobs == different else f", {different} different experiments"
        return f"Sweep of {jobs} job{'s' if jobs > 1 else ''}{same}."

    def repeats_last(self) -> list[Job]:
        """The jobs, those that repeat an earlier one's experiment last: its run answers them."""
        firsts = [self.identities.index(identity) for identity in self.identities]
        order = sorted(range(len(self.jobs)), key=lambda place: firsts[place] != place)
        return [self.jobs[place] for place in order]
