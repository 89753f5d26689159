"""A PostgreSQL cluster and MLflow servers, in temporary folders, on 127.0.0.1."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

from src.ui import QUIET
from tests.reliability.children import wait_until

NOBODY = ("postgres", "nobody")
"""Whom PostgreSQL runs as where the caller is root, which it refuses."""


def programs():
    """The folder of PostgreSQL's server programs; None where it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    name = found[-1] if found else shutil.which("initdb")
    return Path(name).parent if name else None


def missing():
    """Why no server can be started here; empty where it can."""
    if programs() is None:
        return "PostgreSQL is not installed"
    if find_spec("psycopg") is None:
        return "psycopg is not installed"
    return ""


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _user():
    import pwd

    if os.geteuid():
        return {}
    for name in NOBODY:
        with suppress(KeyError):
            return {"user": pwd.getpwnam(name).pw_uid, "group": pwd.getpwnam(name).pw_gid}
    return {}


@contextmanager
def postgres():
    """A database; yields its address."""
    folder, user, port = Path(tempfile.mkdtemp(prefix="pg")), _user(), free_port()
    if user:
        os.chown(folder, user["user"], user["group"])
    options = {"cwd": folder, **user}
    initdb = [programs() / "initdb", "-D", folder / "data", "-U", "lab", "-A", "trust", "-N"]
    subprocess.run(initdb, check=True, capture_output=True, **options)
    address = ["-h", "127.0.0.1", "-p", str(port)]
    serve = [programs() / "postgres", "-D", folder / "data", "-k", folder, "-F", *address]
    ready = [programs() / "pg_isready", "-q", *address]
    create = [programs() / "createdb", *address, "-U", "lab", "mlflow"]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(serve, stdout=log, stderr=log, **options) as child,
    ):
        try:
            wait_until(
                lambda: subprocess.run(ready, check=False).returncode == 0, child, folder / "log"
            )
            subprocess.run(create, check=True, **options)
            yield f"postgresql://lab@127.0.0.1:{port}/mlflow"
        finally:
            child.terminate()
            child.wait(30)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def mlflow_server(database, folder, workers=2, port=None):
    """An MLflow server that keeps artifacts itself; yields its address, and is killed after it."""
    port = port or free_port()
    words = ["--backend-store-uri", database, "--artifacts-destination", folder / "artifacts"]
    words += ["--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)]
    command = [sys.executable, "-m", "mlflow", "server", *map(str, words)]
    with (
        (folder / "server.log").open("a") as log,
        subprocess.Popen(
            command,
            cwd=folder,
            env=QUIET | os.environ,
            stdout=log,
            stderr=log,
            process_group=0,
        ) as child,
    ):
        try:
            address = f"http://127.0.0.1:{port}"
            wait_until(lambda: _answers(address), child, folder / "server.log")
            yield address
        finally:
            os.killpg(child.pid, signal.SIGKILL)


def _answers(address):
    with suppress(OSError):
        return urllib.request.urlopen(f"{address}/health", timeout=2).status == 200
    return False
