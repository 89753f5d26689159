"""Opens the MLflow UI on this machine, and says where the losses stand side by side.

    python -m src.ui [--root mlruns] [--port 5000]

The server answers on 127.0.0.1 alone. MLflow's front page is about language models; the address
that is printed first is that of the runs.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from src.entry import guarded
from src.errors import UserError
from src.serving.port import HOST, check_port
from src.tracking.address import ROOT_HELP, tracking_uri, usual_root

WORKERS = "1"
"""Processes of the server: one person looks at it, and each takes a quarter of a gigabyte."""
QUIET = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # evaluations of language models, six processes
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "PYTHONWARNINGS": "ignore",
}
"""For the server, where the user has not set them."""
PATIENCE = 120
"""Seconds for the server to start."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Starts MLflow's server, prints the addresses, and waits for its end.

    Returns:
        0 after Ctrl-C, else the server's own exit status.

    Raises:
        UserError: where there is no store, or the port is taken.
    """
    options = _parser().parse_args(arguments)
    from src.tracking.store import Store

    address = tracking_uri(options.root, options.uri)
    if address.startswith(("http://", "https://")):
        raise UserError(f"tracking store {address}: is a server already; open it in a browser")
    store = Store.at(options.root, options.uri)
    sweep = store.sweep()
    check_port(options.port, "ui")
    ui = f"http://{HOST}:{options.port}/"
    server = _start(store.uri, options.port)
    try:
        print("Starting MLflow's server ...", flush=True)
        if _answers(server, ui):
            _say_where(ui, sweep.info.experiment_id if sweep else None)
            sys.stdout.flush()
        return server.wait()
    except KeyboardInterrupt:
        print()
        return 0
    finally:
        _stop(server)


def _start(store: str, port: int) -> subprocess.Popen[bytes]:
    """The server, in a session of its own: Ctrl-C reaches this process alone, which ends it."""
    words = [str(Path(sys.executable).with_name("mlflow")), "server", "--host", HOST]
    words += ["--port", str(port), "--backend-store-uri", store, "--registry-store-uri", store]
    words += ["--workers", WORKERS, "--uvicorn-opts", "--log-level warning"]
    return subprocess.Popen(words, env=QUIET | os.environ, start_new_session=True)


def _answers(server: subprocess.Popen[bytes], address: str) -> bool:
    """Waits until the server answers; False where it has ended, or takes too long."""
    deadline = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}health", timeout=2):
                return True
        except OSError:
            time.sleep(0.3)
    return False


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Ends the server and what it has started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, number)
            server.wait(timeout=10)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _say_where(ui: str, experiment_id: str | None) -> None:
    """Prints the addresses of an experiment's runs; None where no sweep has made one yet."""
    from src.tracking.ui_views import CURVES, LAST_SWEEP, runs_link, view_link

    if experiment_id is None:
        print(f"MLflow UI: {ui} (no sweep yet; `python train.py -m loss=ce,focal` makes one)")
        return
    print(f"MLflow UI: {ui}{runs_link(experiment_id)}")
    print(f"  last sweep, losses side by side: {ui}{view_link(experiment_id, LAST_SWEEP)}")
    print(f"  its curves by loss: {ui}{view_link(experiment_id, CURVES, charts=True)}")
    print("Ctrl-C ends it.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m src.ui",
        description="Open the MLflow UI on 127.0.0.1.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Examples:\n  python -m src.ui\n  python -m src.ui --port 5001 --root FOLDER",
    )
    add = parser.add_argument
    add("--root", metavar="FOLDER", default=usual_root(), help=ROOT_HELP)
    add("--uri", help="address of the database; MLFLOW_TRACKING_URI wins where it is set")
    add("--port", type=int, default=5000, help="port on 127.0.0.1 (5000)")
    return parser


if __name__ == "__main__":
    raise SystemExit(guarded(main))
