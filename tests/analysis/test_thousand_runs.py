"""A store of a thousand runs is answered as by hand: the pairs, the mean, and nothing lost."""

import json
import shutil
import sqlite3

import numpy as np
import pytest
from made_store import LOSSES, SEEDS

from src.compare import main

COPIES = 48
TABLES = ("runs", "tags", "params", "latest_metrics")
KEY = "run_uuid"


@pytest.fixture(scope="module")
def thousand(made, tmp_path_factory):
    """Copies of the sweep's runs with other seeds and scores, 1,029 in all."""
    root = tmp_path_factory.mktemp("thousand")
    shutil.copy(made.root / "mlflow.db", root / "mlflow.db")
    database = sqlite3.connect(root / "mlflow.db")
    for (label, seed), run_id in made.run_ids.items():
        for copy in range(1, COPIES + 1):
            new, moved = f"{copy:04d}{run_id[4:]}", seed + 100 * copy
            for table in TABLES:
                names = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
                values = ", ".join("?" if name == KEY else name for name in names)
                columns = ", ".join(names)
                database.execute(
                    f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table} WHERE {KEY} = ?",
                    (new, run_id),
                )
            changes = {"seed": str(moved), "data.fingerprint": f"split-{moved}"}
            for name, value in changes.items():
                database.execute(
                    "UPDATE tags SET value = ? WHERE run_uuid = ? AND key = ?", (value, new, name)
                )
            database.execute(
                "UPDATE latest_metrics SET value = ? WHERE run_uuid = ? AND key = 'test_f1_macro'",
                (0.5 + 0.01 * len(label) / 10 + 1e-5 * copy * len(label), new),
            )
    database.commit()
    return root


def test_all_pairs_are_found(made, thousand, tmp_path):
    file = tmp_path / "all.json"
    out = str(tmp_path / "out")
    root = ["--root", str(thousand), "--sweep", made.sweep_id]
    assert main([*root, "--json", str(file), "--out", out]) == 0
    content = json.loads(file.read_text())
    count = len(SEEDS) * (COPIES + 1)
    assert sum(len(loss["seeds"]) for loss in content["losses"]) == count * len(LOSSES) > 1000
    assert content["left_out"] == []
    for found in content["comparisons"]:
        assert len(found["seeds"]) == count
        longer = len(found["label"]) - len("ce")
        copied = [100 * longer * (0.001 + 1e-5 * copy) for copy in range(1, COPIES + 1)]
        gains = dict(zip(found["seeds"], found["differences_pp"], strict=True))
        assert [gains[100 * copy] for copy in range(1, COPIES + 1)] == pytest.approx(copied)
        assert found["mean_difference_pp"] == pytest.approx(np.mean(list(gains.values())))
