"""Runs ``python train.py`` several times in this one process, each time as if typed by itself.

    python several_commands.py FOLDER

COMMANDS in it is a JSON list of ``{"arguments": [...], "cwd": ...}``. OUTCOMES becomes a JSON list
with the exit status of each, its output, its seconds, and the libraries that were loaded after it.
"""

import contextlib
import io
import json
import os
import runpy
import signal
import sys
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMANDS, OUTCOMES = "commands.json", "outcomes.json"
HEAVY = ("tensorflow", "keras", "mlflow")


def outcome(command):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's `&` turns off
    os.environ.pop("HYDRA_FULL_ERROR", None)
    os.chdir(command["cwd"])
    sys.argv = [str(ROOT / "train.py"), *command["arguments"]]
    out, err = io.StringIO(), io.StringIO()
    started = time.perf_counter()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            runpy.run_path(sys.argv[0], run_name="__main__")
            status = 0
        except SystemExit as end:
            status = end.code or 0
        except BaseException:
            traceback.print_exc()
            status = 1
    return {
        "status": status,
        "out": out.getvalue(),
        "err": err.getvalue(),
        "seconds": time.perf_counter() - started,
        "loaded": [name for name in HEAVY if name in sys.modules],
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1]).absolute()
    sys.path[:0] = [str(ROOT), str(folder)]
    outcomes = [outcome(command) for command in json.loads((folder / COMMANDS).read_text())]
    (folder / OUTCOMES).write_text(json.dumps(outcomes))
