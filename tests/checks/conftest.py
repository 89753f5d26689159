"""Keras's own layers are checked beside the other tests, in a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def started_layers():
    """The process that checks Keras's layers and losses, started before the first test."""
    process = subprocess.Popen(
        [sys.executable, HERE / "keras_own.py", "layer", "loss"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.wait()


@pytest.fixture(autouse=True)
def layers_are_checked_beside(request):
    """Starts that process before the first test, where a later one asks for it."""
    if any("started_layers" in item.fixturenames for item in request.session.items):
        request.getfixturevalue("started_layers")
