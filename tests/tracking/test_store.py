"""Where the store lies."""

from pathlib import Path

import pytest

from src.errors import UserError
from src.tracking.address import tracking_uri
from src.tracking.store import Store


def test_the_environment_outranks_the_config_and_the_config_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://from.environment")
    assert tracking_uri("root", "http://from.config") == "http://from.environment"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")  # counts as none
    assert tracking_uri("root", "http://from.config") == "http://from.config"
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert tracking_uri("root", "http://from.config") == "http://from.config"
    monkeypatch.chdir(tmp_path)
    assert tracking_uri("root", None) == f"sqlite:///{tmp_path}/root/mlflow.db"


def test_reading_where_no_store_is_says_how_to_make_one(tmp_path):
    with pytest.raises(UserError, match=rf"{tmp_path}/mlflow\.db: there is no store yet.*train"):
        Store.at(str(tmp_path), None)
    assert list(tmp_path.iterdir()) == []


def test_reading_what_is_no_database_is_refused(tmp_path):
    (tmp_path / "mlflow.db").write_text("not a database, but long enough to look at" * 40)
    with pytest.raises(UserError, match=r"tracking store sqlite:.*no SQLite database"):
        Store.at(str(tmp_path), None)


def test_opening_again_finds_the_same_experiment(own_store, own_tracking):
    assert Store.open(own_tracking).experiment_id == own_store.experiment_id
    note = own_store.client.get_experiment(own_store.experiment_id).tags["mlflow.note.content"]
    assert "test_f1_macro" in note
    assert Path(own_tracking["root"], "mlflow.db").exists()


def test_a_deleted_experiment_is_named_with_the_way_back(own_store, own_tracking):
    tracking = {**own_tracking, "experiment": "gone"}
    number = Store.open(tracking).experiment_id
    own_store.client.delete_experiment(number)
    with pytest.raises(UserError, match=rf"tracking\.experiment=gone.*restore -x {number}"):
        Store.open(tracking)


def test_runs_in_the_experiments_of_other_processes_count(own_tracking, tmp_path, empty_store):
    tracking = {**own_tracking, "root": str(tmp_path)}
    empty_store(tmp_path)
    early = Store.open(tracking)
    other = Store.open({**tracking, "experiment": "of another process"})
    tags = {f"identity.{'a' * 64}": "finds this run"}
    run_id = other.client.create_run(other.experiment_id, tags=tags).info.run_id
    assert early.finished("a" * 64) is None
    other.client.set_terminated(run_id)
    assert early.finished("a" * 64).info.run_id == run_id
    assert [run.info.run_id for run in early.search("")] == [run_id]


def test_all_pages_of_experiments_and_runs_are_searched(
    own_tracking, tmp_path, empty_store, monkeypatch
):
    monkeypatch.setattr("src.tracking.store.PAGE", 2)
    tracking = {**own_tracking, "root": str(tmp_path)}
    empty_store(tmp_path)
    first, *_ = [Store.open({**tracking, "experiment": f"number {n}"}) for n in range(4)]
    made = {first.client.create_run(first.experiment_id).info.run_id for _ in range(5)}
    for store in (first, Store.at(tracking["root"], None)):
        assert {run.info.run_id for run in store.search("")} == made
