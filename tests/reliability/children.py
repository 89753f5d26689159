"""Child processes that run `python train.py` and can be killed at any moment."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 240
"""Seconds after which a child is taken to hang."""
ENDLESS = (
    "data.n_samples=4000",
    "training.batch_size=8",
    "training.epochs=100000",
    "tracking.plots=false",
)
"""Epochs of some 40 ms: in a second too few of them gather for sending to take long."""


class Child:
    """A running `train.py`: either a process of its own or a fork of one that has TensorFlow."""

    def __init__(self, pid, poll):
        self.pid = pid
        self._poll = poll
        self.status = None

    def poll(self):
        if self.status is None:
            self.status = self._poll()
        return self.status

    def wait(self, seconds=LONGEST):
        deadline = time.monotonic() + seconds
        while self.poll() is None:
            assert time.monotonic() < deadline, f"process {self.pid} does not end"
            time.sleep(0.01)
        return self.status

    def kill(self):
        """SIGKILL, which no process can catch; returns the exit status."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
        return self.wait()


def fresh(arguments, cwd, **environment):
    """A process of its own, which begins with the imports."""
    with (Path(cwd) / "output.txt").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, ROOT / "train.py", *arguments],
            cwd=cwd,
            env=os.environ | environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    return Child(process.pid, process.poll)


@contextmanager
def endless(cwd, *words):
    """A sweep that goes on until a signal ends it, in a process group of its own."""
    with subprocess.Popen(
        [sys.executable, ROOT / "train.py", *words, *ENDLESS],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def wait_until(ready, child, log=None):
    """Waits for what a child does; LOG is the file that it writes to, if not to pipes."""
    deadline = time.monotonic() + LONGEST
    while not ready():
        assert child.poll() is None, log.read_text() if log else child.communicate()
        assert time.monotonic() < deadline, log.read_text() if log else f"not in {LONGEST} s"
        time.sleep(0.2)


class Forks:
    """Starts children that have their libraries loaded; a context manager."""

    def __enter__(self):
        self._process = subprocess.Popen(
            [sys.executable, ROOT / "tests" / "reliability" / "forked.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(LONGEST)

    def start(self, arguments, cwd, script=ROOT / "train.py"):
        pid = self._ask("start", str(cwd), [str(script), *map(str, arguments)])
        return Child(pid, lambda: self._ask("poll", pid))

    def _ask(self, *words):
        print(json.dumps(words), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())
