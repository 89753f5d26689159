"""The jobs of a sweep that are all known, composed and checked before the first is trained."""

from collections.abc import Sequence
from dataclasses import dataclass

from src.config.check import check
from src.errors import UserError
from src.runs.identity import config_identity, digest_of
from src.sweeps.jobs import Job


@dataclass(frozen=True)
class Plan:
    """The jobs of a sweep, in the order in which they were typed.

    Attributes:
        jobs: all of them.
        identities: of their configs; equal ones are one experiment.
        forced: whether any job is to be trained though it is done.
    """

    jobs: Sequence[Job]
    identities: list[str]
    forced: bool

    @classmethod
    def of(cls, jobs: Sequence[Job]) -> "Plan":
        """Checks all jobs.

        Raises:
            UserError: names the first job whose config is wrong.
        """
        configs = []
        for job in jobs:
            try:
                configs.append(check(job.config))
            except UserError as error:
                raise UserError(f"job {job.number} ({' '.join(job.words)}): {error}") from error
        return cls(
            jobs=jobs,
            identities=[config_identity(config) for config in configs],
            forced=any(config["force"] for config in configs),
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
        first: list[Job] = []
        repeats: list[Job] = []
        seen: set[str] = set()
        for job, identity in zip(self.jobs, self.identities, strict=True):
            (repeats if identity in seen else first).append(job)
            seen.add(identity)
        return first + repeats
