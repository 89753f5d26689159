"""What runs the jobs of a sweep: the contract that all engines keep."""

import os
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from src.sweeps.jobs import Jobs
from src.sweeps.worker import Finished

PROJECT = Path(__file__).resolve().parents[2]


class Engine(ABC):
    """Runs jobs outside this process, several at once."""

    @abstractmethod
    def describe(self, jobs: int, threads: int) -> str:
        """What it takes for so many jobs with so many threads each, for people."""

    @abstractmethod
    def run(self, jobs: Jobs, threads: int) -> Generator[tuple[int, Finished], None, None]:
        """Runs the jobs, in their order where there are more than places; yields them as they end.

        Closing the iterator ends the jobs under way as an interruption does.

        Args:
            jobs: all of them.
            threads: what TensorFlow takes in each job.

        Yields:
            The place of a job, and how it ended.

        Raises:
            UserError: where the engine cannot be had, or a job's process ended without a result.
        """


@contextmanager
def variables(**given: str) -> Iterator[None]:
    """Environment variables for the processes that are started meanwhile.

    They find the project's modules: its folder comes first in ``PYTHONPATH``.
    """
    path = os.environ.get("PYTHONPATH")
    given["PYTHONPATH"] = os.pathsep.join([str(PROJECT), *([path] if path else [])])
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
