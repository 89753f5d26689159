"""A run as the MLflow store holds it, and what a reader of the store can be asked for."""

from dataclasses import dataclass, field
from typing import Protocol

FINISHED = "FINISHED"
SWEEP_COMMAND = "sweep.command"
"""Tag that only the parent run of a sweep has."""


@dataclass(frozen=True)
class StoredRun:
    """One run of the store, whatever it is.

    Attributes:
        run_id: in MLflow.
        name: for people.
        status: ``FINISHED``, ``RUNNING``, ``FAILED``, ``KILLED`` or ``SCHEDULED``.
        experiment_id: where it lies.
        artifacts: address of its artifacts.
        ended_ms: milliseconds since 1970; 0 for one that has not ended.
        tags: all tags.
        params: all parameters, as text.
        metrics: the last value of each metric.
        class_names: of the data set that was logged with the run; empty without one.
        class_counts: training rows of each class; empty without a data set.
    """

    run_id: str
    name: str
    status: str
    experiment_id: str
    artifacts: str
    ended_ms: int
    tags: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    class_names: tuple[str, ...] = ()
    class_counts: tuple[int, ...] = ()


class Reader(Protocol):
    """Reads runs in bulk; deleted runs and experiments are left out."""

    address: str

    def sweeps(self) -> list[StoredRun]:
        """The parent runs of all sweeps."""

    def children(self, sweep_id: str) -> list[StoredRun]:
        """All runs of a sweep: those it trained, and those that answered its jobs."""

    def matching(self, experiment: str | None, condition: str | None) -> list[StoredRun]:
        """Runs of one experiment, or all, that meet a condition in MLflow's search syntax.

        Raises:
            UserError: where there is no such experiment, or the condition cannot be read.
        """
