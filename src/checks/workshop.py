"""Runs somebody else's code in a child process with a time limit, and reports on it regardless."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from src.checks.results import FAIL, NOT_REACHED, Report, Result
from src.entry import QUIET
from src.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
START_UP = 240.0  # seconds for TensorFlow's import on a slow machine
IMPORT = "can_be_imported"
_ABOUT_IMPORT: dict[str, Any] = {
    "why": "What cannot be imported cannot be used, saved or graded.",
    "mend": "Run the file by itself; keep training, input() and exit() out of a module's top "
    "level, under `if __name__ == '__main__':`.",
    "example": "if __name__ == '__main__':\n    model.fit(x, y)",
}


class Workshop:
    """A child process that checks one component after another, each in a fork of its own.

    Where a component ends the whole process, the next one gets a new one.

    Args:
        timeout: seconds that one component may take.
    """

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self._child: subprocess.Popen[str] | None = None
        self._events = -1
        self._buffer = b""
        self._jobs = 0
        self._folder = tempfile.TemporaryDirectory(prefix="checks-")

    def __enter__(self) -> Workshop:
        """Nothing is started before the first job."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends the child."""
        self._stop()
        self._folder.cleanup()

    def components(self, file: Path) -> list[str]:
        """Names of the components in a file.

        Raises:
            UserError: it cannot be imported.
        """
        events, ending = self._run(self._job(file=str(file), name=None))
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
        events, ending = self._run(self._job(name=name, **job))
        for event in events:
            if event["event"] == "mistake":
                raise UserError(event["text"])
        return _report(name, events, ending)

    def _job(self, **content: Any) -> dict[str, Any]:
        empty = dict.fromkeys(("file", "module", "name", "kind", "arguments", "input_shape"))
        self._jobs += 1
        output = str(Path(self._folder.name) / f"{self._jobs}.txt")
        return {**empty, "output": output, **content}

    def _run(self, job: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
        """The events of a job, and how it ended where it did not say so itself."""
        self._start()
        assert self._child is not None and self._child.stdin is not None
        self._child.stdin.write(json.dumps(job) + "\n")
        self._child.stdin.flush()
        found: list[dict[str, Any]] = []
        process, ending = 0, ""
        deadline = time.monotonic() + self.timeout
        for event in self._read(deadline):
            if event is None:
                ending = f"it did not end within {self.timeout:g} s"
                self._end(process)
                break
            if event["event"] == "forked":
                process = int(event["process"])
            elif event["event"] == "ended":
                _kill_group(process)  # what it left running
                return found, ending or _how(int(event["status"]), Path(job["output"]))
            else:
                found.append(event)
        if not ending:  # the child itself is gone
            ending = "it ended the process that runs the checks"
            self._stop()
        return found, ending

    def _end(self, process: int) -> None:
        """Ends a fork with everything that it started, and waits for word of it."""
        _kill_group(process)
        for event in self._read(time.monotonic() + 10):
            if event is None:
                break
            if event["event"] == "ended":
                return
        self._stop()

    def _start(self) -> None:
        if self._child is not None and self._child.poll() is None:
            return
        self._stop()
        self._events, write = os.pipe()
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        quiet = {name: os.environ.get(name, value) for name, value in QUIET.items()}
        self._child = subprocess.Popen(
            [sys.executable, "-m", "src.checks.child", str(write)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[write],
            text=True,
            env={**os.environ, **quiet, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
        )
        os.close(write)
        first = next(self._read(time.monotonic() + START_UP), None)
        if first is None or first["event"] != "ready":
            self._stop()
            raise UserError("Keras cannot be imported here; try `python -c 'import keras'`")

    def _stop(self) -> None:
        if self._child is not None:
            if self._child.stdin is not None:
                with contextlib.suppress(OSError):
                    self._child.stdin.close()
            self._child.kill()
            self._child.wait()
            os.close(self._events)
        self._child, self._buffer = None, b""

    def _read(self, deadline: float) -> Iterator[dict[str, Any] | None]:
        """Events as they come; None at the deadline; nothing more where the child is gone."""
        while True:
            while b"\n" in self._buffer:
                line, self._buffer = self._buffer.split(b"\n", 1)
                event = _event(line)
                if event is not None:
                    yield event
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._events], [], [], left)[0]:
                yield None
                return
            data = os.read(self._events, 1 << 16)
            if not data:
                return
            self._buffer += data


def _kill_group(process: int) -> None:
    """Ends a fork and what it started; a fork that never spoke has no group of its own."""
    if process:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process, signal.SIGKILL)


def _event(line: bytes) -> dict[str, Any] | None:
    """An event, or None for what else was written to the pipe."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None


def _how(status: int, output: Path) -> str:
    """How a fork ended, with the last line that it printed."""
    lines = output.read_text(errors="replace").split("\n")[-40:] if output.exists() else []
    last = next((line.strip()[:200] for line in reversed(lines) if line.strip()), "")
    said = f"; it last printed: {last}" if last else ""
    if status < 0:
        return f"it was ended by {signal.Signals(-status).name}{said}"
    return f"it ended the process with exit status {status}{said}"


def _report(name: str, events: list[dict[str, Any]], ending: str) -> Report:
    """The report of a component from its events; what was not reached is said to be so."""
    of_kind: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        of_kind.setdefault(event.pop("event"), []).append(event)
    if "component" not in of_kind:
        failed = of_kind.get("import_failed") or of_kind.get("broken") or [{"text": ending}]
        return Report(name, "", (Result(IMPORT, FAIL, failed[0]["text"], **_ABOUT_IMPORT),))
    component = of_kind["component"][0]
    results = {event["name"]: Result(**event) for event in of_kind.get("result", [])}
    started = [event["check"] for event in of_kind.get("start", [])]
    broken = of_kind.get("broken", [{}])[0].get("text") or ending
    for check in component["checks"]:
        if check["name"] in results:
            continue
        was_running = started[-1:] == [check["name"]]
        status = FAIL if was_running else NOT_REACHED
        seen = broken if was_running else f"the checks ended in {started[-1] if started else '?'}"
        results[check["name"]] = Result(status=status, seen=seen, **check)
    ordered = tuple(results[check["name"]] for check in component["checks"])
    return Report(name, component["kind"], ordered, component["made_with"])
