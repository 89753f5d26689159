"""Two processes that train one run give what one process gives, and one of them records it."""

import csv
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from src.components import custom_objects
from src.config.cluster import VARIABLE, Cluster, cluster_of
from src.errors import UserError
from tests.reliability.recorded import runs_of

ROOT = Path(__file__).resolve().parents[2]
WORDS = (
    "data.n_samples=455",  # 273 rows in batches of 17: one is left for the last, and one worker
    "data.minority_fraction=0.2",
    "training.batch_size=17",
    "training.epochs=4",
    "training.learning_rate=0.01",
    "model.clip_norm=0.2",
    "metric=imbalance",
    "tracking.plots=false",
)
SHARED = "training.distribute=multi_worker"
LONGEST = 240
"""Seconds after which a child is taken to hang."""


def addresses(number):
    """Ports of this machine that nobody listens at."""
    doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    found = [f"127.0.0.1:{door.getsockname()[1]}" for door in doors]
    for door in doors:
        door.close()
    return found


def together(folder, *words, own=((), ())):
    """The command on two workers; of each its folder, exit status and output."""
    children = started(folder, *words, own=own)
    try:
        statuses = [child.wait(LONGEST) for child in children]
    finally:
        for child in children:
            child.kill()
    places = [folder / str(index) for index in range(2)]
    return [(p, s, (p / "output.txt").read_text()) for p, s in zip(places, statuses, strict=True)]


def started(folder, *words, own=((), ())):
    """Two workers under way, each with words of its own."""
    workers = addresses(2)
    children = []
    for index in range(2):
        place = folder / str(index)
        place.mkdir(parents=True, exist_ok=True)
        task = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
        command = [sys.executable, ROOT / "train.py", *words, *own[index]]
        environment = os.environ | {VARIABLE: json.dumps(task)}
        with (place / "output.txt").open("w") as output:
            children.append(
                subprocess.Popen(
                    command, cwd=place, env=environment, stdout=output, stderr=subprocess.STDOUT
                )
            )
    return children


@pytest.fixture(scope="module")
def both(tmp_path_factory, run_here):
    """The run of two workers, and the same in this process."""
    folder = tmp_path_factory.mktemp("workers")
    ended = together(folder, *WORDS, SHARED)
    alone = folder / "alone"
    run_here(alone, *WORDS, "tracking=none")
    return ended, alone


def rows(folder):
    with (folder / "history.csv").open(newline="") as stream:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(stream)]


def test_both_end_well_and_the_first_has_the_run(both):
    for _, status, output in both[0]:
        assert status == 0, output
    (chief, _, _), (other, _, said) = both[0]
    (run,), parents = runs_of(chief / "mlruns")
    assert not parents
    assert run.info.status == "FINISHED"
    assert run.data.params["training.distribute"] == "multi_worker"
    assert run.data.params["training.replicas"] == "2", "part of the identity"
    assert [file.name for file in other.iterdir()] == ["output.txt"], "the other writes nothing"
    assert "has the run" in said


def test_every_score_of_every_epoch_is_that_of_one_process(both):
    (chief, _, _), _ = both[0]
    (folder,) = chief.glob("outputs/*/*")
    assert len(rows(folder)) == 4
    for shared, alone in zip(rows(folder), rows(both[1]), strict=True):
        assert set(shared) == set(alone)
        for name in set(shared) - {"time_ms"}:
            exact = "f1" in name or "recall" in name or "accuracy" in name
            assert shared[name] == pytest.approx(alone[name], rel=0 if exact else 1e-5), name
    assert all(row["clipped_fraction"] > 0.5 for row in rows(folder)), "else it shows less"


def test_the_model_is_that_of_one_process_within_float_tolerance(both):
    (chief, _, _), _ = both[0]
    (folder,) = chief.glob("outputs/*/*")
    shared, alone = (
        keras.saving.load_model(place / "model.keras", custom_objects(), compile=False)
        for place in (folder, both[1])
    )
    for a, b in zip(shared.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)
    with np.load(folder / "predictions.npz") as a, np.load(both[1] / "predictions.npz") as b:
        np.testing.assert_allclose(a["test_logits"], b["test_logits"], rtol=0, atol=1e-5)


def test_workers_that_were_given_different_runs_all_say_so(tmp_path):
    for place, status, output in together(tmp_path, *WORDS, SHARED, own=(("seed=0",), ("seed=1",))):
        assert status == 2, output
        assert "was given another run than the chief" in output
        assert not list(place.glob("**/run.json"))


def test_a_worker_that_is_killed_ends_the_other_with_one_sentence(tmp_path):
    words = (*WORDS, SHARED, "training.epochs=100000")
    chief, other = started(tmp_path, *words)
    try:
        wait_for(tmp_path / "0", "mlruns/unfinished/*/checkpoint.npz")
        other.kill()
        assert chief.wait(LONGEST) == 2
    finally:
        for child in (chief, other):
            child.kill()
    said = (tmp_path / "0" / "output.txt").read_text()
    assert "has lost another worker" in said
    assert "Traceback" not in said
    (run,), _ = runs_of(tmp_path / "0" / "mlruns")
    assert run.info.status == "FAILED"


def wait_for(folder, pattern):
    """Returns as soon as there is such a file."""
    end = time.monotonic() + LONGEST
    while not list(folder.glob(pattern)):
        assert time.monotonic() < end, (folder / "output.txt").read_text()
        time.sleep(0.1)


# --- TF_CONFIG ----------------------------------------------------------------------------------
def content(workers=("a:1", "b:2"), index=0, **task):
    place = {"type": "worker", "index": index, **task}
    return json.dumps({"cluster": {"worker": list(workers)}, "task": place})


TRAINING = {"distribute": "multi_worker", "jit_compile": False, "replicas": None}


def test_the_cluster_is_read_from_its_variable(monkeypatch):
    monkeypatch.setenv(VARIABLE, content(index=1))
    assert cluster_of(TRAINING) == Cluster(("a:1", "b:2"), 1)
    assert not cluster_of(TRAINING).is_chief
    assert cluster_of(TRAINING | {"replicas": 2}).workers == ("a:1", "b:2")
    assert cluster_of(TRAINING | {"distribute": "none"}) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "environment variable TF_CONFIG is not set"),
        ("{", "truncated"),
        ("{}", "cluster"),
        (content(workers=["a:1"]), "two or more workers, names 1"),
        (content(workers=["a:1", "b"]), "'b' must be host:port"),
        (content(workers=["a:1", "b:99999"]), "port from 1 to 65535"),
        (content(workers=["a:1", "a:1"]), "more than once"),
        (content(index=2), "must be from 0 to 1, got 2"),
        (content(index=-1), "greater than or equal to 0"),
        (content(type="ps"), "task.type"),
    ],
)
def test_a_wrong_variable_is_named_with_what_is_right(monkeypatch, text, reason):
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(UserError) as caught:
        cluster_of(TRAINING)
    assert VARIABLE in str(caught.value)
    assert reason in str(caught.value)
    assert '"task": {"type": "worker", "index": 0}' in str(caught.value)


def test_another_number_of_replicas_is_refused(monkeypatch):
    monkeypatch.setenv(VARIABLE, content())
    with pytest.raises(UserError, match="TF_CONFIG names 2 workers"):
        cluster_of(TRAINING | {"replicas": 3})


def test_a_sweep_is_refused_and_leaves_nothing(train, tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, content())
    outcome = train(("-m", SHARED, "seed=0,1"), tmp_path)
    assert outcome.status == 2
    assert "not in a sweep" in outcome.err
    assert not list(tmp_path.iterdir())
