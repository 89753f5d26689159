"""Runs code of others in a child process with a time limit, and reports on it regardless."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import tempfile
import time
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from src.checks.results import FAIL, NOT_REACHED, Report, Result
from src.checks.sandbox.child import serve
from src.entry import QUIET
from src.errors import UserError

START_UP = 240.0  # seconds for TensorFlow's import on a slow machine
IMPORT = "can_be_imported"
_ABOUT_IMPORT: dict[str, Any] = {
    "why": "What cannot be imported cannot be used, saved or graded.",
    "mend": "Run the file by itself; keep training, input() and exit() out of a module's top "
    "level, under `if __name__ == '__main__':`.",
    "example": "if __name__ == '__main__':\n    model.fit(x, y)",
}
Event = dict[str, Any]


class Sandbox:
    """A child process that checks one component after another, each in a fork of its own.

    A component that ends the whole process leaves a new process to the next one.

    Args:
        timeout: seconds that one component may take.
    """

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self._child: BaseProcess | None = None
        self._pipe: Connection
        self._fork = 0  # the process of the job, while one runs
        self._folder = tempfile.TemporaryDirectory(prefix="checks-")

    def __enter__(self) -> Sandbox:
        """Nothing is started before the first job."""
        return self

    def __exit__(self, *error: object) -> None:
        """Ends the child."""
        self._stop()
        self._folder.cleanup()

    def components(self, file: Path) -> list[str]:
        """Names of the components in a file.

        Raises:
            UserError: the file cannot be imported.
        """
        events, ending = self._run(file=str(file), name=None)
        for event in events:
            if event["event"] == "listed":
                return list(event["components"])
            if event["event"] == "import_failed":
                raise UserError(event["text"])
        raise UserError(ending)

    def report(self, name: str, **job: Any) -> Report:
        """Checks one component.

        Args:
            name: of the component in its module or file.
            **job: module or file, kind, arguments, input_shape.

        Raises:
            UserError: there is no such component, or it cannot be made from these arguments.
        """
        events, ending = self._run(name=name, **job)
        for event in events:
            if event["event"] == "mistake":
                raise UserError(event["text"])
        return _report(name, events, ending)

    def _run(self, **content: Any) -> tuple[list[Event], str]:
        """The events of a job, and the way in which it ended before it was done."""
        output = Path(self._folder.name) / "output.txt"
        output.unlink(missing_ok=True)
        empty = dict.fromkeys(("file", "module", "name", "kind", "arguments", "input_shape"))
        job = {**empty, "output": str(output), **content}
        self._start()
        found: list[Event] = []
        ending = ""
        deadline = time.monotonic() + self.timeout
        try:
            self._pipe.send_bytes(json.dumps(job).encode())
            while True:
                event = self._next(deadline)
                if event is None:  # the time is over; after 10 s more the child is given up
                    if ending:
                        raise EOFError
                    ending = f"it did not end within {self.timeout:g} s"
                    self._end_fork()
                    deadline = time.monotonic() + 10
                elif event["event"] == "started":
                    self._fork = int(event["process"])
                elif event["event"] == "ended":
                    self._end_fork()  # it may have left processes behind
                    self._fork = 0
                    return found, ending or _how(int(event["status"]), output)
                else:
                    found.append(event)
        except (EOFError, OSError, ValueError):  # the child itself is gone
            self._stop()
            return found, ending or "it ended the process that runs the checks"

    def _next(self, deadline: float) -> Event | None:
        """The next event, or None at the deadline."""
        if not self._pipe.poll(max(0.0, deadline - time.monotonic())):
            return None
        event: Event = json.loads(self._pipe.recv_bytes())
        return event

    def _start(self) -> None:
        if self._child is not None and self._child.is_alive():
            return
        self._stop()
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        quiet = {name: os.environ.get(name, value) for name, value in QUIET.items()}
        environment = {**quiet, "OPENBLAS_NUM_THREADS": "1"}
        self._child = context.Process(target=serve, args=(theirs, environment), daemon=True)
        self._child.start()
        theirs.close()
        with contextlib.suppress(EOFError, OSError):
            if self._next(time.monotonic() + START_UP) is not None:
                return
        self._stop()
        raise UserError("Keras cannot be imported here; try `python -c 'import keras'`")

    def _end_fork(self) -> None:
        """Ends a fork and all that it started."""
        if self._fork:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._fork, signal.SIGKILL)

    def _stop(self) -> None:
        self._end_fork()
        if self._child is not None:
            self._child.kill()
            self._child.join()
            self._pipe.close()
        self._child, self._fork = None, 0


def _how(status: int, output: Path) -> str:
    """The way in which a fork ended, with the last line that it printed."""
    lines = output.read_text(errors="replace").split("\n")[-40:] if output.exists() else []
    last = next((line.strip()[:200] for line in reversed(lines) if line.strip()), "")
    said = f"; it last printed: {last}" if last else ""
    if status < 0:
        return f"it was ended by {signal.Signals(-status).name}{said}"
    return f"it ended the process with exit status {status}{said}"


def _report(name: str, events: list[Event], ending: str) -> Report:
    """The report of a component from its events, with the checks that were not reached."""
    of_kind: dict[str, list[Event]] = {}
    for event in events:
        of_kind.setdefault(event.pop("event"), []).append(event)
    broken = of_kind.get("broken", [{"text": ending}])
    if "component" not in of_kind:
        text = of_kind.get("import_failed", broken)[0]["text"]
        return Report(name, "", (Result(IMPORT, FAIL, text, **_ABOUT_IMPORT),))
    component = of_kind["component"][0]
    results = {event["name"]: Result(**event) for event in of_kind.get("result", [])}
    running = [event["check"] for event in of_kind.get("start", [])][-1:]
    for check in component["checks"]:
        if check["name"] in results:
            continue
        if running == [check["name"]]:
            result = Result(status=FAIL, seen=broken[0]["text"], **check)
        else:
            seen = f"the checks ended in {running[0] if running else '?'}"
            result = Result(status=NOT_REACHED, seen=seen, **check)
        results[check["name"]] = result
    ordered = tuple(results[check["name"]] for check in component["checks"])
    return Report(name, component["kind"], ordered, component["made_with"])
