"""How fast the served model answers, beside the model's own speed in this process.

    python -m benchmarks.serving [--model NAME@ALIAS] [--seconds 5] [--requests 2000]

Starts the server as `python -m src.serve` does, on 127.0.0.1 alone, sends it requests from clients
that wait for each answer, and stops it. Each line ends after the given seconds or
requests, whichever comes first.
"""

import argparse
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain

import numpy as np
import pandas as pd

from benchmarks.timing.typed import ROOT
from src.entry import guarded
from src.errors import UserError
from src.serve import only_champion
from src.serving.find import SavedModel, find_model
from src.serving.port import HOST

START_SECONDS = 120
WARM_UP = 20
BATCH = 100
HEADERS = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Line:
    """One measurement.

    Attributes:
        what: was measured.
        rows: in each request.
        clients: at once.
        seconds: from the first request to the last answer.
        latencies: of each request, in seconds, sorted.
    """

    what: str
    rows: int
    clients: int
    seconds: float
    latencies: list[float]

    def cells(self) -> list[str]:
        """As a row of a table."""
        rate = len(self.latencies) / self.seconds
        p50, p99 = (1e3 * float(np.percentile(self.latencies, p)) for p in (50, 99))
        numbers = [f"{rate:,.0f}", f"{rate * self.rows:,.0f}", f"{p50:.2f}", f"{p99:.2f}"]
        return [self.what, str(self.rows), str(self.clients), *numbers, f"{len(self.latencies):,}"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints a Markdown table.

    Args:
        arguments: of the command line; None takes the process's own.
    """
    options = _parser().parse_args(arguments)
    wanted = options.model or only_champion(options.root, options.uri)
    model = find_model(wanted, options.root, options.uri)
    takes_rows = model.facts and (model.facts.table or model.facts.images)
    if not (model.path / "MLmodel").is_file() or not takes_rows:
        raise UserError(
            f"--model {wanted}: must be a logged model that was trained on a table or on pictures"
        )
    measured = partial(_measured, seconds=options.seconds, requests=options.requests)
    lines = [*_in_process(model, measured), *_served(model, measured)]
    header = ["what", "rows", "clients", "requests/s", "rows/s", "p50 ms", "p99 ms", "requests"]
    for cells in (header, ["---"] * len(header), *(line.cells() for line in lines)):
        print("| " + " | ".join(cells) + " |")
    return 0


def _in_process(model: SavedModel, measured: Callable[..., Line]) -> Iterator[Line]:
    """The bare network on features, Keras's own `predict`, and raw rows to classes."""
    predictor = model.load()
    keras_predict = partial(predictor.network.predict, verbose=0)
    for count in (1, BATCH):
        rows = _rows(model, count)
        features = predictor.features(rows)
        calls: dict[str, Callable[[], object]] = {
            "bare network, compiled call": partial(predictor.logits, features),
            "bare network, Keras `predict`": partial(keras_predict, features),
            "raw rows to classes, in process": partial(predictor.predict, rows),
        }
        for what, call in calls.items():
            yield measured(what, count, [call])


def _served(model: SavedModel, measured: Callable[..., Line]) -> Iterator[Line]:
    """Requests of one row and of many, by one client and by several."""
    with _server(model) as port:
        for count, clients in ((1, 1), (1, 4), (BATCH, 1)):
            split = json.loads(_rows(model, count).to_json(orient="split", index=False))
            body = json.dumps({"dataframe_split": split})
            yield measured("served, HTTP", count, [_client(port, body) for _ in range(clients)])


def _measured(
    what: str, rows: int, calls: Sequence[Callable[[], object]], *, seconds: float, requests: int
) -> Line:
    """Calls from one thread each, one after another, until one of the two bounds is met."""
    for call in calls:
        for _ in range(WARM_UP):
            call()
    begun = time.perf_counter()

    def latencies(call: Callable[[], object]) -> list[float]:
        found: list[float] = []
        while len(found) < requests / len(calls) and time.perf_counter() - begun < seconds:
            started = time.perf_counter()
            call()
            found.append(time.perf_counter() - started)
        return found

    with ThreadPoolExecutor(len(calls)) as threads:
        taken = list(threads.map(latencies, calls))
    spent = time.perf_counter() - begun
    return Line(what, rows, len(calls), spent, sorted(chain.from_iterable(taken)))


def _client(port: int, body: str) -> Callable[[], object]:
    """A call over a connection of its own, which stays open."""
    connection = http.client.HTTPConnection(HOST, port, timeout=30)

    def call() -> None:
        connection.request("POST", "/invocations", body, HEADERS)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise UserError(f"the server answered {answer.status}: {content[:300]!r}")

    return call


@contextmanager
def _server(model: SavedModel) -> Iterator[int]:
    """A server of the model, stopped at the end; gives its port."""
    with socket.socket() as trial:
        trial.bind((HOST, 0))
        port = trial.getsockname()[1]
    words = ["-m", "src.serve", "--model", str(model.path.resolve()), "--port", str(port)]
    words += ["--trust-code"]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=ROOT,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _wait(process, port)
            yield port
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
                process.wait(60)


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            connection = http.client.HTTPConnection(HOST, port, timeout=2)
            connection.request("GET", "/ping")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
    raise UserError("the server did not start; `python -m src.serve` says why")


def _rows(model: SavedModel, count: int) -> pd.DataFrame:
    """The model's input example, again and again."""
    content = json.loads((model.path / "serving_input_example.json").read_text(encoding="utf-8"))
    split = content["dataframe_split"]
    return pd.DataFrame(split["data"] * count, columns=split["columns"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.serving",
        description="Measure requests a second and latencies of a served model, on 127.0.0.1.",
    )
    add = parser.add_argument
    add("--model", help="NAME@ALIAS, a run id or a logged model's folder (the only champion)")
    add("--seconds", type=float, default=5.0, help="at most, for each line (5)")
    add("--requests", type=int, default=2000, help="at most, for each line (2000)")
    add("--root", default="mlruns", help="folder of the store (default: mlruns)")
    add("--uri", help="address of the store; MLFLOW_TRACKING_URI wins where it is set")
    return parser


if __name__ == "__main__":
    raise SystemExit(guarded(main))
