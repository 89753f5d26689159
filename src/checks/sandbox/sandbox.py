"""Runs code of others in a process with a time limit, and reports on it regardless.

Python's fork server imports TensorFlow once, and every job is a fork of it.
"""

import json
import multiprocessing
import os
import signal
import sys
import tempfile
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

from src.checks.language import marked, say, spoken, translated
from src.checks.results import FAIL, NOT_REACHED, Report, Result
from src.checks.sandbox.child import EVENTS, OUTPUT, end_group, supervise
from src.errors import UserError

IMPORT = "can_be_imported"
_ABOUT_IMPORT: dict[str, Any] = {
    "why": marked("What cannot be imported cannot be used, saved or graded."),
    "mend": marked(
        "Run the file by itself; keep training, input() and exit() out of a module's top "
        "level, under `if __name__ == '__main__':`."
    ),
    "example": "if __name__ == '__main__':\n    model.fit(x, y)",
}
_FORKS = multiprocessing.get_context("forkserver")
Event = dict[str, Any]


def start() -> None:
    """Starts the fork server, which prints nothing, whatever TensorFlow says as it is imported."""
    _FORKS.set_forkserver_preload(["src.check", "src.checks.run"])
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its threads do not survive a fork
    sys.stderr.flush()
    terminal = os.dup(2)
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 2)
    try:
        forkserver.ensure_running()
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


def components_in(file: Path, timeout: float) -> list[str]:
    """Names of the components in a file, which may take `timeout` seconds to import.

    Raises:
        UserError: the file cannot be imported.
    """
    last, _ = _run(timeout, file=str(file))
    if "listed" not in last:
        failed = last.get("import_failed") or last.get("broken") or last["ended"]
        raise UserError(failed["text"])
    return list(last["listed"]["components"])


def report(name: str, timeout: float, **job: Any) -> Report:
    """Checks one component.

    Args:
        name: of the component.
        timeout: seconds for all of its checks.
        **job: its `file` or `module`, and `kind`, `arguments` and `input_shape` as `recipe` takes
            them.

    Raises:
        UserError: there is no such component, or it cannot be made from these arguments.
    """
    last, done = _run(timeout, name=name, **job)
    if "mistake" in last:
        raise UserError(last["mistake"]["text"])
    broken = last.get("broken", last["ended"])
    if "component" not in last:
        text = last.get("import_failed", broken)["text"]
        about: dict[str, Any] = {key: translated(text) for key, text in _ABOUT_IMPORT.items()}
        return Report(name, "", (Result(IMPORT, FAIL, text, **about),))
    component, running = last["component"], last.get("start", {}).get("check")
    results = {result.name: result for result in done}
    for check in component["checks"]:
        if check["name"] not in results:
            status, seen = NOT_REACHED, say("the checks ended in {}", running or "?")
            if check["name"] == running:
                status, seen = FAIL, broken["text"]
            results[check["name"]] = Result(status=status, seen=seen, **check)
    return Report(name, component["kind"], tuple(results.values()), component["made_with"])


def _run(timeout: float, **job: Any) -> tuple[dict[str, Event], list[Result]]:
    """The last event of each kind of a job, `ended` with a text that says how, and its results."""
    with tempfile.TemporaryDirectory(prefix="checks-") as folder:
        process = _FORKS.Process(target=supervise, args=(folder, timeout, spoken(), job))
        process.start()
        try:
            process.join()
        finally:  # Ctrl-C too
            process.terminate()
            process.join()
        file = Path(folder, EVENTS)
        lines = file.read_text("utf-8").splitlines(keepends=True) if file.exists() else []
        events = [json.loads(line) for line in lines if line.endswith("\n")]  # not one half written
        last = {event["event"]: event for event in events}
        if "ended" in last:
            last["ended"]["text"] = _how(last["ended"], timeout, Path(folder, OUTPUT))
        else:
            last["ended"] = {"text": say("it ended the process that runs the checks")}
            if "began" in last:
                end_group(last["began"]["process"])
    return last, [Result(**event["result"]) for event in events if event["event"] == "result"]


def _how(ended: Event, timeout: float, output: Path) -> str:
    """The way in which a job ended, with the last line that it printed."""
    if ended["late"]:
        return say("it did not end within {:g} s", timeout)
    lines = output.read_text(errors="replace").split("\n")[-40:] if output.exists() else []
    last = next((line.strip()[:200] for line in reversed(lines) if line.strip()), "")
    said = say("; it last printed: {}", last) if last else ""
    if ended["status"] < 0:
        return say("it was ended by {}{}", signal.Signals(-ended["status"]).name, said)
    return say("it ended the process with exit status {}{}", ended["status"], said)
