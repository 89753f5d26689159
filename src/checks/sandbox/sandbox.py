"""Runs code of others in a child process with a time limit, and reports on it regardless."""

import contextlib
import json
import multiprocessing
import os
import secrets
import signal
import tempfile
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Self

from src.checks.language import marked, say, spoken, translated
from src.checks.results import FAIL, NOT_REACHED, Report, Result
from src.checks.sandbox.child import EVENTS, OUTPUT, serve
from src.entry import QUIET
from src.errors import UserError

START_UP = 240.0  # seconds for TensorFlow's import on a slow machine
IMPORT = "can_be_imported"
_ABOUT_IMPORT: dict[str, Any] = {
    "why": marked("What cannot be imported cannot be used, saved or graded."),
    "mend": marked(
        "Run the file by itself; keep training, input() and exit() out of a module's top "
        "level, under `if __name__ == '__main__':`."
    ),
    "example": "if __name__ == '__main__':\n    model.fit(x, y)",
}
Event = dict[str, Any]


class Sandbox:
    """A child process that checks one component after another, each in a fork of its own.

    A component may take `timeout` seconds.

    A component that ends the whole process leaves a new process to the next one.
    """

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self._child: BaseProcess | None = None
        self._pipe: Connection

    def __enter__(self) -> Self:
        """Nothing is started before the first job."""
        return self

    def __exit__(self, *error: object) -> None:
        """Ends the child."""
        self._stop()

    def components(self, file: Path) -> list[str]:
        """Names of the components in a file.

        Raises:
            UserError: the file cannot be imported.
        """
        events, ending = self._run(file=str(file))
        if not events or events[-1]["event"] != "listed":
            raise UserError(events[-1]["text"] if events else ending)
        return list(events[-1]["components"])

    def report(self, name: str, **job: Any) -> Report:
        """Checks one component.

        Raises:
            UserError: there is no such component, or it cannot be made from these arguments.
        """
        events, ending = self._run(name=name, **job)
        if events and events[-1]["event"] == "mistake":
            raise UserError(events[-1]["text"])
        return _report(name, events, ending)

    def _run(self, **job: Any) -> tuple[list[Event], str]:
        """The events of a job, and the way in which it ended before it was done."""
        self._start()
        process, late, job["id"] = 0, "", secrets.token_hex(8)
        with tempfile.TemporaryDirectory(prefix="checks-") as folder:
            try:
                self._pipe.send({**job, "folder": folder, "language": spoken()})
                process = self._answer(job["id"])
                if not self._pipe.poll(self.timeout):
                    late = say("it did not end within {:g} s", self.timeout)
                    _kill(process)
                ending = _how(self._answer(job["id"]), Path(folder, OUTPUT))
            except (EOFError, OSError):  # the child itself is gone
                ending = say("it ended the process that runs the checks")
                self._stop()
            finally:
                _kill(process)  # it may have left processes behind
            return _events(Path(folder, EVENTS), job["id"]), late or ending

    def _answer(self, job: str) -> int:
        """The next number that the child says of a job."""
        while True:
            said, number = self._pipe.recv()
            if said == job:
                return int(number)

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
            if self._pipe.poll(START_UP) and self._pipe.recv():
                return
        self._stop()
        raise UserError(say("Keras cannot be imported here; try `python -c 'import keras'`"))

    def _stop(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.join()
            self._pipe.close()
        self._child = None


def _kill(process: int) -> None:
    """Ends a fork and all that it started."""
    if process:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process, signal.SIGKILL)


def _events(file: Path, job: str) -> list[Event]:
    """The events of a job, but for one that it was writing when it ended."""
    lines = file.read_text().splitlines(keepends=True) if file.exists() else []
    events = [json.loads(line) for line in lines if line.endswith("\n")]
    return [event for event in events if event["job"] == job]


def _how(status: int, output: Path) -> str:
    """The way in which a fork ended, with the last line that it printed."""
    lines = output.read_text(errors="replace").split("\n")[-40:] if output.exists() else []
    last = next((line.strip()[:200] for line in reversed(lines) if line.strip()), "")
    said = say("; it last printed: {}", last) if last else ""
    if status < 0:
        return say("it was ended by {}{}", signal.Signals(-status).name, said)
    return say("it ended the process with exit status {}{}", status, said)


def _report(name: str, events: list[Event], ending: str) -> Report:
    """The report of a component from its events, with the checks that were not reached."""
    last = {event["event"]: event for event in events}
    broken = last.get("broken", {"text": ending})
    if "component" not in last:
        text = last.get("import_failed", broken)["text"]
        about: dict[str, Any] = {key: translated(text) for key, text in _ABOUT_IMPORT.items()}
        return Report(name, "", (Result(IMPORT, FAIL, text, **about),))
    component, running = last["component"], last.get("start", {}).get("check")
    done = [Result(**event["result"]) for event in events if event["event"] == "result"]
    results = {result.name: result for result in done}
    for check in component["checks"]:
        if check["name"] not in results:
            status, seen = NOT_REACHED, say("the checks ended in {}", running or "?")
            if check["name"] == running:
                status, seen = FAIL, broken["text"]
            results[check["name"]] = Result(status=status, seen=seen, **check)
    return Report(name, component["kind"], tuple(results.values()), component["made_with"])
