"""A table is read once for the jobs on a split, and again when it is another."""

import os
from pathlib import Path

import numpy as np
import pytest

from src.runs.dataset_cache import cached_dataset


@pytest.fixture
def node(resolved, tmp_path):
    """A resolved ``data`` node of a table, by seed."""
    rng = np.random.default_rng(0)
    rows = "\n".join(f"{x:.3f},{k}" for x, k in zip(rng.normal(size=40), [0, 1] * 20, strict=True))
    (tmp_path / "t.csv").write_text(f"x,label\n{rows}\n")
    words = ("data=table", f"data.path={tmp_path}/t.csv")
    return lambda seed: resolved(*words, f"seed={seed}")["data"]


def test_the_runs_on_a_split_share_one_reading(node):
    first = cached_dataset(node(0))
    assert cached_dataset(node(0)) is cached_dataset(node(1)) is first
    assert cached_dataset(node(2)).fingerprint != first.fingerprint
    assert cached_dataset(node(0)) is not first, "one table in memory, however many seeds"


def test_a_file_that_was_changed_is_read_again(node):
    first = cached_dataset(node(0))
    path = node(0)["path"]
    with Path(path).open("a") as file:
        file.write("9.0,1\n")
    os.utime(path, (1, 1))
    assert cached_dataset(node(0)).fingerprint != first.fingerprint


def test_what_is_no_file_is_made_anew_each_time(resolved):
    data = resolved("data.n_samples=200", "data.minority_fraction=0.3")["data"]
    first, again = cached_dataset(data), cached_dataset(data)
    assert first is not again
    assert first.fingerprint == again.fingerprint


@pytest.mark.parametrize(
    ("launcher", "seeds", "most"), [("serial", "0,2,4", 1), ("joblib", "auto", 2)]
)
def test_a_sweep_reads_a_file_once_in_each_process_and_warns_of_it_once(
    train, tmp_path, launcher, seeds, most
):
    rows = [f"{i % 7},{i % 5},{i % 3 == 0:d}.{i % 7},{i % 3 == 0}" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["x,who,code,label", *rows]))
    words = ("data=table", "data.path=t.csv", "data.group=who", "data.split=random")
    jobs = ("estimator=majority,logistic_regression", f"seed={seeds}", "tracking=none")
    limit = ("hydra.launcher.n_jobs=2",) if launcher == "joblib" else ()
    outcome = train(("-m", *words, *jobs, f"hydra/launcher={launcher}", *limit), tmp_path)
    assert outcome.status == 0, outcome.err
    logs = [file.read_text() for file in tmp_path.glob("multirun/*/*/*/train.log")]
    assert len(logs) == 6 or seeds == "auto"
    assert 1 <= sum(log.count("read and cleaned") for log in logs) <= most
    for warning in ("one column alone tells a class", "groups of data.group=who are in more than"):
        assert outcome.out.count(warning) == 1
        assert sum(log.count(warning) for log in logs) >= 1, "workers have it in their logs"
    (folder,) = tmp_path.glob("multirun/*/*")
    assert not (folder / ".warned").exists()
