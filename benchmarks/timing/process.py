"""Whole processes, imports included: what each takes of time, of the cores and of memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.timing.measure import Row
from benchmarks.timing.typed import ROOT
from src.entry import FULL_ERROR, QUIET
from src.tracking.address import URI_VARIABLE

BUILT_AND_FITTED = ("seconds_build", "seconds_fit")
"""What a record has of a training: tracing is part of the first, as it is of Keras's ``fit``."""
JOBS = ("outputs", "multirun")
"""Folders of a run's and of a sweep's jobs."""


@dataclass(frozen=True)
class Taken:
    """What a process took.

    Attributes:
        seconds: on the clock.
        processor: seconds of processor time, of the processes that it waited for too.
        memory: MiB, the largest resident size of it or of one of those.
        printed: its standard output.
        told: its standard error.
        fit: seconds of its trainings, from building the model on; 0 where it had none.
        runs: how many it has recorded.
    """

    seconds: float
    processor: float
    memory: float
    printed: str
    told: str
    fit: float = 0.0
    runs: int = 0


def run_process(
    words: Sequence[str],
    folder: Path,
    *,
    more: Mapping[str, str] | None = None,
    statuses: Sequence[int] = (0,),
) -> Taken:
    """Runs a command in a folder.

    Args:
        words: the program and its arguments.
        folder: it runs there.
        more: of the environment; settings that this project makes for itself are left out of it.
        statuses: that are right.

    Raises:
        RuntimeError: for another exit status, with what the command told.
    """
    left_out = {FULL_ERROR, URI_VARIABLE}
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in left_out and QUIET.get(name) != value
    }
    environment |= {"PYTHONPATH": str(ROOT), **(more or {})}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        begun = time.perf_counter()
        child = subprocess.Popen(words, cwd=folder, env=environment, stdout=out, stderr=err)
        try:
            _, status, used = os.wait4(child.pid, 0)
        except BaseException:
            child.kill()
            raise
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - begun
        for file in (out, err):
            file.seek(0)
        printed, told = out.read(), err.read()
    if child.returncode not in statuses:
        raise RuntimeError(f"{words}: exit status {child.returncode}\n{told[-3000:]}")
    processor = used.ru_utime + used.ru_stime
    return Taken(seconds, processor, used.ru_maxrss / 1024, printed, told)


def train(*words: str, folder: Path | None = None) -> Taken:
    """``python train.py WORDS``.

    Args:
        *words: as typed.
        folder: empty, and kept; None takes one of its own.
    """
    if folder is None:
        with tempfile.TemporaryDirectory() as name:
            return train(*words, folder=Path(name))
    command = [sys.executable, str(ROOT / "train.py"), *words, "training.progress=false"]
    taken = run_process(command, folder)
    # MLflow's store has copies.
    files = [file for top in JOBS for file in (folder / top).rglob("run.json")]
    times = [json.loads(file.read_text("utf-8"))["metrics"] for file in files]
    fit = sum(one.get(key, 0.0) for one in times for key in BUILT_AND_FITTED)
    return replace(taken, fit=fit, runs=len(times))


def by_hand(name: str, *words: str) -> Taken:
    """``python -m benchmarks.timing.by_hand NAME WORDS``, which prints its training's seconds."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.timing.by_hand", name, *words]
        taken = run_process(command, Path(folder))
    return replace(taken, fit=float(taken.printed.split()[-1]))


def row_of(
    part: str,
    what: str,
    mine: Sequence[Taken],
    against: str,
    other: Sequence[Taken],
    *,
    bound: str = "",
) -> Row:
    """A comparison of one part of what processes took.

    Args:
        part: an attribute of :class:`Taken`.
        what: is measured.
        mine: what it took, once a turn.
        against: what it is compared with.
        other: what that took.
        bound: of the ratio, for people.
    """
    sides = [tuple(getattr(one, part) for one in side) for side in (mine, other)]
    return Row(what, against, sides[0], sides[1], bound, "MiB" if part == "memory" else "s")
