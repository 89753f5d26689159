"""Files come among a store's artifacts: at once where these lie here, else by MLflow."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from src.tracking import artifacts
from src.tracking.artifacts import folder_at, log_files


class Client:
    """Notes what it is asked to log."""

    def __init__(self):
        self.asked = []

    def log_artifact(self, run_id, file):
        self.asked.append((run_id, Path(file).name))


def run_at(uri):
    return SimpleNamespace(info=SimpleNamespace(run_id="r", artifact_uri=uri))


@pytest.mark.parametrize("name", ["plain", "with space", "50% #1? ü"])
def test_an_address_of_a_file_leads_to_its_folder(tmp_path, name):
    assert folder_at((tmp_path / name).as_uri()) == tmp_path / name


@pytest.mark.parametrize(
    "uri",
    ["mlflow-artifacts:/1/r/artifacts", "s3://bucket/1", "file://elsewhere/srv/1", "./mlruns"],
)
def test_what_another_machine_has_is_left_to_mlflow(uri, tmp_path):
    assert folder_at(uri) is None
    (tmp_path / "run.json").write_text("{}")
    client = Client()
    log_files(client, run_at(uri), tmp_path, ("run.json", "missing.csv"))
    assert client.asked == [("r", "run.json")]


def test_files_that_lie_here_are_copied_and_those_that_are_missing_left_out(tmp_path):
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "run.json").write_text("new")
    place = tmp_path / "store" / "r"
    client = Client()
    for _ in range(2):
        log_files(client, run_at(place.as_uri()), tmp_path / "job", ("run.json", "missing.csv"))
    assert client.asked == []
    assert {file.name: file.read_text() for file in place.iterdir()} == {"run.json": "new"}


def test_a_copy_that_breaks_off_leaves_the_old_file_whole(tmp_path, monkeypatch):
    place = tmp_path / "store"
    place.mkdir()
    (place / "run.json").write_text("old")
    (tmp_path / "run.json").write_text("new")

    def half(_, target):
        Path(target).write_text("n")
        raise OSError("the disk is full")

    monkeypatch.setattr(artifacts.shutil, "copy2", half)
    with pytest.raises(OSError, match="the disk is full"):
        log_files(Client(), run_at(place.as_uri()), tmp_path, ("run.json",))
    assert (place / "run.json").read_text() == "old"
