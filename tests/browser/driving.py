"""A real browser and the real MLflow server, for the tests and for the pictures of the README."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.reliability.children import ROOT
from tests.tracking.servers import free_port

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
CLOSED_ASSISTANT = """
localStorage.setItem("mlflow.assistant.fab.autoOpenedOnFirstLoad_v1", "true");
localStorage.setItem("mlflow.assistant.panelOpen_v1", "false");
"""
"""As after a first visit: the panel about language models stays closed."""


def chromium() -> str | None:
    """The browser: what ``CHROMIUM`` names, else the first on the ``PATH``; None without one."""
    named = os.environ.get("CHROMIUM")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def browser(executable: str, **options):
    """A browser with a fresh profile that knows of no network but this machine.

    Args:
        executable: the program.
        options: of Playwright's ``launch_persistent_context``.

    Yields:
        Playwright's ``BrowserContext``.
    """
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=executable, args=list(FLAGS), **options
        )
        context.set_default_timeout(60_000)
        context.add_init_script(CLOSED_ASSISTANT)
        try:
            yield context
        finally:
            context.close()


@contextmanager
def mlflow_ui(folder: Path) -> Iterator[dict[str, str]]:
    """``make ui`` in a folder, on a free port, as long as the block lasts.

    Args:
        folder: holds ``mlruns``.

    Yields:
        The addresses that it prints, by what stands before them; ``status`` after the block.
    """
    port = str(free_port())
    with tempfile.TemporaryFile("w+") as errors:
        child = subprocess.Popen(
            [sys.executable, "-m", "src.ui", "--port", port],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        addresses: dict[str, str] = {}
        try:
            deadline = time.monotonic() + 150
            for line in child.stdout:
                if found := re.match(r"\s*(.+?): (http://127\.0\.0\.1:\d+/\S*)", line):
                    addresses[found[1]] = found[2]
                if line.startswith("Ctrl-C") or time.monotonic() > deadline:
                    break
            else:
                errors.seek(0)
                raise RuntimeError(f"the server did not start:\n{errors.read()}")
            yield addresses
        finally:
            child.send_signal(signal.SIGINT)
            addresses["status"] = str(child.wait(timeout=60))
            child.stdout.close()  # not before: a pipe that nobody reads makes the status 120
