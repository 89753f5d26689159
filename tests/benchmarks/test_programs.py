"""Every benchmark runs in a tiny form, and both sides of a comparison do the same work.

Nothing here looks at how long anything took.
"""

import importlib
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from benchmarks import big_store, clipping, focal, macro_f1, tracking
from benchmarks.__main__ import programs
from benchmarks.timing import steps
from benchmarks.timing.made_runs import make_store
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

OWN = ("macro_f1", "focal", "clipping", "tracking", "commands", "big_store", "memory", "study")
LONG = {"sweep", "parallel", "tables"}
"""Those that take minutes even in a tiny form."""
TRAINS = {"tracking", "study"}
"""Those that type ``train.py`` within their own process, whose signals and log it sets."""


def printed(name, words, capsys):
    if name in TRAINS:
        command = [sys.executable, "-m", f"benchmarks.{name}", *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout
    assert importlib.import_module(f"benchmarks.{name}").main(words) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", OWN)
def test_a_program_prints_the_rows_that_it_writes_as_json(name, tmp_path, capsys):
    file = tmp_path / "found.json"
    table = printed(name, ["--tiny", "--rounds", "1", "--json", str(file)], capsys)
    rows = json.loads(file.read_text())["rows"]
    assert rows
    for row in rows:
        assert min(*row["mine"], *row["other"]) > 0
        assert f"| {row['what']} | " in table
        assert f" | {row['against']} | " in table


def test_all_programs_are_found():
    assert programs().keys() == set(OWN) | LONG


def trained(model, x, y, count=3):
    for _ in range(count):
        logs = model.train_on_batch(x, y, return_dict=True)
    return logs


@pytest.mark.parametrize("form", ["one-hot", "integer"])
def test_both_macro_f1_count_the_same(form):
    steps.start()
    x, integers, one_hot = steps.batch_of(10)
    y = one_hot if form == "one-hot" else integers
    ours, theirs = (trained(model, x, y) for model in macro_f1.models_of(10, form))
    assert ours["f1_macro"] == pytest.approx(theirs["f1_score"], abs=1e-6)
    assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-6)


def test_both_focal_losses_train_alike():
    steps.start()
    x, integers, one_hot = steps.batch_of(10)
    ours, theirs = focal.models_of(10)
    losses = trained(ours, x, integers)["loss"], trained(theirs, x, one_hot)["loss"]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5)


def test_both_ways_of_clipping_train_alike():
    steps.start()
    x, y, _ = steps.batch_of(clipping.CLASSES)
    ours, stock = clipping.models_of()
    logs = trained(ours, x, y)
    trained(stock, x, y)
    assert logs["clipped_fraction"] > 0
    for mine, other in zip(ours.get_weights(), stock.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-6)


def test_time_belongs_to_the_innermost_module_of_the_project():
    y, logits = np.tile([0, 1], 5000), np.random.default_rng(0).normal(size=(10_000, 2))

    def work():
        from src.evaluation.decision import tune_offsets

        for _ in range(30):
            tune_offsets(y, logits)

    taken = tracking.by_module(work)
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


def test_the_start_of_a_run_scans_no_table_of_runs(tmp_path):
    store = make_store(tmp_path, 8, 2)
    with statements() as sent:
        big_store.started(store)
    with sqlite3.connect(tmp_path / "mlflow.db") as database:
        plans = [
            step
            for text, values in sent
            for *_, step in database.execute(f"EXPLAIN QUERY PLAN {text}", values)
        ]
    assert plans
    tables = ("SCAN runs", "SCAN tags", "SCAN metrics")
    assert [step for step in plans if step.startswith(tables)] == []
    assert "focal" in big_store.compared(store)
