"""``python train.py`` as typed, within this process: imports are done before the clock starts."""

from __future__ import annotations

import io
import os
import runpy
import sys
from contextlib import redirect_stdout
from pathlib import Path

from src.entry import QUIET

ROOT = Path(__file__).resolve().parents[2]


def start() -> None:
    """Prepares this process as every command is: quiet libraries, and TensorFlow imported."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    from src.runs.import_tensorflow import import_tensorflow

    import_tensorflow()


def train(*words: str) -> None:
    """Runs ``python train.py WORDS`` in the current folder, and shows nothing of what it prints.

    Raises:
        RuntimeError: where it ends with an exit status other than 0.
    """
    before, sys.argv = sys.argv, [str(ROOT / "train.py"), *words, "training.progress=false"]
    try:
        with redirect_stdout(io.StringIO()):
            runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise RuntimeError(f"train.py {' '.join(words)}: exit status {end.code}") from end
    finally:
        sys.argv = before
