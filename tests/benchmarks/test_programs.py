"""Every benchmark runs in a tiny form, and both sides of a comparison do the same work.

Nothing here looks at how long anything took.
"""

import json
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from benchmarks import gpu, images, one, programs, training_step
from benchmarks.timing import steps
from benchmarks.timing.by_hand import network
from benchmarks.timing.made_runs import make_store
from benchmarks.timing.where import by_module
from src.components import cnn
from src.runs.recorded.record import RunMetadata
from src.tracking.mlflow_tracker import MLflowTracker
from src.tracking.run_log import create_run
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

OWN = ("commands", "decision", "gpu", "training_step")
LONG = {"first_answer", "images", "parallel", "reading", "sweep", "tables"}
"""Those that take minutes even in a tiny form, by whole trainings, or need a clone."""
TRAINS = {"study"}
"""One that types ``train.py`` within its own process, whose signals and log that sets."""


def printed(name, words, capsys):
    if name in TRAINS:
        command = [sys.executable, "-m", "benchmarks.one", name, *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout
    assert one.main([name, *words]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", [*OWN, *TRAINS])
def test_a_program_prints_the_rows_that_it_writes_as_json(name, tmp_path, capsys):
    file = tmp_path / "found.json"
    table = printed(name, ["--tiny", "--rounds", "1", "--json", str(file)], capsys)
    found = json.loads(file.read_text())
    assert found["rows"] or gpu.NONE in found["notes"]
    for row in found["rows"]:
        assert min(*row["mine"], *row["other"]) > 0
        assert f"| {row['what']} | " in table
        assert f" | {row['against']} | " in table
    assert all(note in table for note in found["notes"])


def test_all_programs_are_found():
    assert programs().keys() == {*OWN} | LONG | TRAINS


def test_images_by_hand_are_the_projects_network_and_their_operations_are_counted():
    shape = (images.SIDE, images.SIDE, 1)
    ours, by_hand = cnn(shape, images.CLASSES, filters=images.FILTERS), network(shape)
    assert [one.shape for one in ours.weights] == [one.shape for one in by_hand.weights]
    counted = 0
    for layer in by_hand.layers:
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
            positions = np.prod(layer.output.shape[1:-1])  # 1 for a dense layer
            counted += 2 * int(np.prod(layer.kernel.shape) * positions)
    assert images.flops(trained=False) == counted


def trained(model, x, y, count=3):
    for _ in range(count):
        logs = model.train_on_batch(x, y, return_dict=True)
    return logs


@pytest.mark.parametrize("part", ["macro_f1", "focal_loss", "clipping"])
def test_both_sides_of_a_training_step_train_alike(part):
    steps.start()
    x, integers, one_hot = steps.batch_of(10)
    labels = {"macro_f1": (one_hot, one_hot), "focal_loss": (integers, one_hot)}
    pair = getattr(training_step, part)(10)
    ours, theirs = (
        trained(model, x, y)
        for model, y in zip(pair, labels.get(part, (integers, integers)), strict=True)
    )
    assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-5)
    assert ours.get("f1_macro") == pytest.approx(theirs.get("f1_score"), abs=1e-6)
    assert ours.get("clipped_fraction", 1) > 0
    for mine, other in zip(*(model.get_weights() for model in pair), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5)


def test_time_belongs_to_the_innermost_module_of_the_project():
    y, logits = np.tile([0, 1], 5000), np.random.default_rng(0).normal(size=(10_000, 2))

    def work():
        from src.evaluation.decision import tune_offsets

        for _ in range(30):
            tune_offsets(y, logits)

    taken = by_module(work)
    assert max(taken, key=taken.get) == "evaluation/decision"


@contextmanager
def statements() -> Iterator[list]:
    """Every SELECT that SQLAlchemy sends, with its values."""
    sent = []

    def note(connection, cursor, statement, values, *_):
        if statement.lstrip().upper().startswith("SELECT"):
            sent.append((statement, values))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def start_and_delete(tracking):
    """What a new run asks and tells its store before it trains."""
    facts = {
        "name": "made",
        "source": "made",
        "fingerprint": "f" * 64,
        "input_shape": [2],
        "class_names": ["many", "few"],
        "class_counts": [190, 10],
        "rows": {"train": 200},
    }
    identity = uuid.uuid4().hex * 2
    metadata = RunMetadata(identity, "made", "made", {"loss": "ce"}, {"seed": "0"}, facts)
    tracker = MLflowTracker(tracking, None)
    assert tracker.find(identity, Path()) is None
    tracker.store.client.delete_run(create_run(tracker.store, metadata, None).info.run_id)


def test_the_start_of_a_run_scans_no_table_of_runs(tmp_path):
    store = make_store(tmp_path, 8, 2)
    with statements() as sent:
        start_and_delete(store)
    with sqlite3.connect(tmp_path / "mlflow.db") as database:
        plans = [
            step
            for text, values in sent
            for *_, step in database.execute(f"EXPLAIN QUERY PLAN {text}", values)
        ]
    assert plans
    tables = ("SCAN runs", "SCAN tags", "SCAN metrics")
    assert [step for step in plans if step.startswith(tables)] == []
