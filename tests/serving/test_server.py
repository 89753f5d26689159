"""MLflow's own server, started by the command: right answers, and a 4xx with a reason for the rest.

One server answers every request here, so each test also shows that those before left it standing.
"""

import http.client
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from src.promote import main as promote
from src.saved_model.predictor import Predictor
from tests.tracking.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
JSON, CSV = "application/json", "text/csv"
PARQUET = "application/vnd.apache.parquet"
GOOD = {"age": 40, "dose": 5.5, "ward": "north", "smoker": True, "grade": "3+"}


@pytest.fixture(scope="module")
def server(in_use, tmp_path_factory):
    """The port of a server of the champion, started as the make target starts it."""
    promote([in_use.run_id, "--name", "served", "--root", str(in_use.root)])
    port = free_port()
    log = tmp_path_factory.mktemp("server") / "log.txt"
    words = ["-m", "src.serve", "--model", "served@champion", "--port", str(port)]
    with log.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, *words, "--root", str(in_use.root)],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        for _ in range(600):
            if process.poll() is not None or answers(port):
                break
            time.sleep(0.2)
        assert process.poll() is None, log.read_text()
        yield port
        os.killpg(process.pid, signal.SIGINT)  # what Ctrl-C does
        assert process.wait(60) == 0, log.read_text()
        assert log.read_text().rstrip().endswith("Stopped.")
        assert "cuda" not in log.read_text().lower()
        assert not answers(port)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def answers(port):
    try:
        return ask(port, None, path="/ping", method="GET")[0] == 200
    except OSError:
        return False


def ask(port, body, kind=JSON, path="/invocations", method="POST", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, headers | ({"Content-Type": kind} if kind else {}))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def records(*rows, **more):
    return json.dumps({"dataframe_records": list(rows), **more})


def parquet(frame):
    stream = io.BytesIO()
    frame.to_parquet(stream)
    return stream.getvalue()


def with_good(**changes):
    return records({**GOOD, **changes})


def test_answers_are_those_of_the_model_in_every_format(server, in_use):
    rows = in_use.raw[list(GOOD)].head(40)
    expected = Predictor.load(in_use.folder).predict(rows)
    bodies = {
        JSON: rows.to_json(orient="split", index=False).join(['{"dataframe_split": ', "}"]),
        CSV: rows.to_csv(index=False),
        PARQUET: parquet(rows),
    }
    for kind, body in bodies.items():
        status, answer = ask(server, body, kind)
        assert status == 200, answer
        found = pd.DataFrame(json.loads(answer)["predictions"])
        assert found["class"].tolist() == expected["class"].tolist(), kind
        np.testing.assert_allclose(found.iloc[:, 1:], expected.iloc[:, 1:], rtol=0, atol=1e-6)


def test_the_decision_is_a_parameter(server, in_use):
    rows = in_use.raw[list(GOOD)].astype(object)
    rows = rows.where(rows.notna(), None).to_dict("records")
    found = {}
    for decision in ("tuned", "argmax", "prior"):
        status, answer = ask(server, records(*rows, params={"decision": decision}))
        assert status == 200, answer
        found[decision] = [row["class"] for row in json.loads(answer)["predictions"]]
    expected = Predictor.load(in_use.folder).predict(in_use.raw, "argmax")["class"]
    assert np.mean(np.array(found["argmax"]) == expected) > 0.99
    assert found["tuned"] != found["argmax"]


@pytest.mark.parametrize(
    "row",
    [{"dose": None}, {"dose": float("nan")}, {"ward": None}, {"ward": "never seen"}, {"age": 40.5}],
    ids=str,
)
def test_gaps_and_unknown_categories_are_right_as_in_training(server, row):
    status, answer = ask(server, with_good(**row))
    assert status == 200, answer
    (found,) = json.loads(answer)["predictions"]
    assert found["probability_ill"] + found["probability_well"] == pytest.approx(1)


@pytest.mark.parametrize("kind", ["Application/JSON", 'APPLICATION/json; Charset="UTF-8"'])
def test_a_media_type_ignores_case(server, kind):
    assert ask(server, with_good(), kind)[0] == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1", 200), ("localhost:80", 200), ("evil.example", 403), ("127.0.0.1.evil", 403)],
)
def test_a_request_in_the_name_of_another_host_is_refused(server, host, status):
    assert ask(server, with_good(), Host=host)[0] == status
    assert ask(server, None, path="/ping", method="GET", Host=host)[0] == status


def zipped(**columns):
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream, compression="zstd")
    return stream.getvalue()


MANY = b'{"inputs": [' + b"[]," * 5_000_000 + b"[]]}"
KEYS = b'{"dataframe_records": [{' + b",".join(b'"%d":1' % i for i in range(10**6)) + b"}]}"
WIDE = b",".join(b"a%d" % i for i in range(50_000))
MUCH = b'{"dataframe_records": [' + b" " * 100_000_000 + b"]}"
HUGE = parquet(pd.DataFrame(dict.fromkeys(GOOD, np.zeros(1_100_000))))
TWICE = json.dumps({"dataframe_split": {"columns": [*GOOD, "age"], "data": [[*GOOD.values(), 1]]}})
HOSTILE = {
    "missing column": (with_good().replace("age", "agee"), JSON, 400, "missing inputs ['age']"),
    "text for a number": (with_good(age="old"), JSON, 400, "row 1, column 'age': 'old'"),
    "digits in quotes": (with_good(age="40"), JSON, 400, "row 1, column 'age': '40' is no number"),
    "half a character": (with_good(age="\ud800"), JSON, 400, "surrogates not allowed"),
    "infinity": (with_good(age=float("inf")), JSON, 400, "inf is infinite"),
    "a list": (with_good(age=[1]), JSON, 400, "column 'age': [1] is no number"),
    "an object": (with_good(ward={"x": 1}), JSON, 400, "column 'ward'"),
    "a huge whole number": (with_good(age=10**400), JSON, 400, "column 'age'"),
    "too many digits": (with_good(age=0).replace("0", "1" * 5000, 1), JSON, 400, "digits"),
    "no such decision": (
        records(GOOD, params={"decision": "x"}),
        JSON,
        400,
        "tuned, argmax, prior",
    ),
    "params no object": (records(GOOD, params=[1]), JSON, 400, "must be a dictionary"),
    "no rows": (records(), JSON, 400, "missing inputs"),
    "empty": ("", JSON, 400, "valid JSON"),
    "empty object": ("{}", JSON, 400, "exactly one of the input fields"),
    "a list of nothing": ("[]", JSON, 400, "Received a list"),
    "truncated": (with_good()[:40], JSON, 400, "valid JSON"),
    "not UTF-8": (b"\xff\xfe\x00", JSON, 400, "valid JSON"),
    "deeply nested": ("[" * 200_000, JSON, 400, "cannot be parsed"),
    "repeated columns": (TWICE, JSON, 400, ""),
    "no content type": (with_good(), None, 415, "no Content-Type"),
    "other content type": (with_good(), "text/plain", 415, "content types"),
    "other encoding": (with_good(), f"{JSON}; charset=latin1", 415, "UTF-8"),
    "CSV with a bad cell": ("age,dose,ward,smoker,grade\n1,2,x,true,1\nq,,,,", CSV, 400, "row 2"),
    "CSV without a column": ("age,dose\n1,2", CSV, 400, "'ward', 'smoker', 'grade' are missing"),
    "empty CSV": ("", CSV, 400, "empty"),
    "binary CSV": (b"\0\1", CSV, 400, "zero bytes"),
    "UTF-16": (with_good().encode("utf-16"), JSON, 400, "no valid JSON in UTF-8"),
    "secret bytes": (b'"secret\xff', JSON, 400, "no valid JSON in UTF-8"),
    "five million lists": (MANY, JSON, 413, "too many values"),
    "a million keys": (KEYS, JSON, 413, "too many values"),
    "a million columns": (b"a," * 1_000_000, CSV, 413, "columns"),
    "short rows of a wide table": (WIDE + b"\n1" * 1_000_000, CSV, 413, "cells"),
    "a list of millions": (zipped(age=[np.zeros(6_000_000, "i1")]), PARQUET, 400, "holds list"),
    "a cell of 300 MB": (zipped(age=["x" * 300_000_000]), PARQUET, 413, "bytes"),
    "a text 4,000 times": (zipped(age=["x" * 10**6] * 4000), PARQUET, 413, "bytes"),
    "no Parquet": (b"PAR1 no more PAR1", PARQUET, 400, "Parquet"),
    "a huge Parquet": (HUGE, PARQUET, 413, "cells"),
    "a long text that is no JSON": (b"x" * 10_000_000, JSON, 400, "valid JSON"),
    "100 MB": (MUCH, JSON, 413, "larger than 16,777,216 bytes"),
    "100 MB in pieces": ([b"x" * 10**6] * 100, JSON, 413, "larger than 16,777,216 bytes"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_wrong_request_gets_a_4xx_with_a_reason_and_the_server_goes_on(server, name):
    body, kind, status, reason = HOSTILE[name]
    found, answer = ask(server, iter(body) if isinstance(body, list) else body, kind)
    assert found == status, answer
    message = json.loads(answer)["message"]
    assert reason in message
    assert 0 < len(message) < 1200
    assert "Traceback" not in answer
    assert "Input:" not in answer
    assert "secret" not in answer
    assert ask(server, with_good())[0] == 200


def test_the_server_is_reached_on_this_machine_alone(server):
    table = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    places = [line.split()[1] for line in table.splitlines() if f":{server:04X} " in line]
    listening = [place for place in places if place.split(":")[1] == f"{server:04X}"]
    assert {place.split(":")[0] for place in listening} == {"0100007F"}
