"""Starts `python SCRIPT` again and again without importing TensorFlow again and again.

    python tests/reliability/forked.py

One process imports the libraries and forks for each command that it reads, so a command starts in
a moment and dies as any process does. On stdin one JSON list a line: ``["start", cwd, words]``, of
which the first is the script, answers with the process id, ``["poll", pid]`` with null or the exit
status (-9 after SIGKILL).
"""

import json
import os
import runpy
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def start(cwd, words):
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.setsid()
        os.chdir(cwd)
        log = os.open("output.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(0)
        os.environ.pop("HYDRA_FULL_ERROR", None)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.argv = words
        status = _exit_status()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def _exit_status():
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        return end.code or 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def poll(pid):
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def main():
    sys.path.insert(0, str(ROOT))
    from src.entry import QUIET

    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    import hydra  # noqa: F401
    import mlflow.keras  # noqa: F401

    import src.data.simulated
    import src.engine.fit
    import src.runs.outputs  # noqa: F401

    print("ready", flush=True)
    for line in sys.stdin:
        name, *words = json.loads(line)
        print(json.dumps({"start": start, "poll": poll}[name](*words)), flush=True)


if __name__ == "__main__":
    main()
