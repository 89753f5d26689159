"""Whatever a folder is called and wherever Hydra puts a job: one store, where it belongs."""

import pytest

from src.tracking.address import tracking_uri
from src.tracking.store import Store

TINY = ("training.epochs=1", "model.hidden=[4]", "tracking.log_model=false", "tracking.plots=false")


def test_jobs_that_change_their_folder_share_the_store_where_the_command_was_typed(train, tmp_path):
    cwd = tmp_path / "50% off?"
    cwd.mkdir()
    (cwd / "t.csv").write_text("x,label\n" + "\n".join(f"{i},{i % 2}" for i in range(60)))
    words = ("data=table", "data.path=t.csv", "hydra.job.chdir=true", *TINY)
    done = train(("-m", "loss=ce,focal", "compare=false", *words), cwd)
    assert done.status == 0, done.err
    assert list(tmp_path.rglob("mlflow.db")) == [cwd / "mlruns" / "mlflow.db"]
    assert list(tmp_path.iterdir()) == [cwd]
    assert {path.name for path in cwd.iterdir()} == {"t.csv", "mlruns", "multirun"}
    store = Store.at(str(cwd / "mlruns"), None)
    runs = store.children(store.sweep_id(None))
    assert [run.info.status for run in runs] == ["FINISHED"] * 2
    for run in runs:
        names = [file.path for file in store.client.list_artifacts(run.info.run_id)]
        assert "history.csv" in names


@pytest.mark.parametrize("name", ["100%", "a?b", "a%20b", "a#b", "a b;c", "ä&=b"])
def test_a_store_lies_in_the_folder_that_was_named(tmp_path, name, empty_store):
    root = tmp_path / name / "mlruns"
    tracking = {"root": str(root), "uri": None, "experiment": "own"}
    empty_store(root)
    made = Store.open(tracking)
    assert Store.at(str(root), None).client.get_experiment(made.experiment_id).name == "own"
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert sorted(path.name for path in root.iterdir()) == ["mlflow.db"]
    assert tracking_uri(str(root), None).count("?") == 0
