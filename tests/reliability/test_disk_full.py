"""A disk that is full: one clear error, nothing half written taken for whole, and it goes on."""

import resource
import shutil
import signal
from contextlib import contextmanager

import pytest

from src.entry import guarded
from src.runs import outputs
from tests.reliability.recorded import numbers_in

WORDS = (
    "model.dropout=0.3",
    "data.n_samples=300",
    "data.minority_fraction=0.2",
    "training.epochs=2",
    "tracking=none",
    "tracking.plots=false",
)
WIDE = ("model.hidden=[400,400]",)
"""A model whose checkpoint is larger than the limit of the child."""


@contextmanager
def room(size):
    """While it holds, no file can be longer than ``size`` bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


@pytest.fixture(scope="module")
def whole(run_here, tmp_path_factory):
    """The folder of a run that had room."""
    folder = tmp_path_factory.mktemp("whole")
    run_here(folder / "job", *WORDS, f"tracking.root={folder}")
    return folder / "job"


def with_little_room(write, size):
    """A writer that cannot write a file longer than so many bytes."""

    def write_it(*arguments, **more):
        with room(size):
            write(*arguments, **more)

    return write_it


@pytest.mark.parametrize("size", [100, 2_000, 20_000], ids=["config", "predictions", "model"])
def test_no_room_for_the_results(whole, run_here, tmp_path, size, capsys):
    writers = {name: getattr(outputs, name) for name in ("write_results", "write_model")}
    shutil.copytree(whole, tmp_path / "job")  # where an earlier run was

    def job():
        run_here(tmp_path / "job", *WORDS, f"tracking.root={tmp_path}")

    with pytest.MonkeyPatch.context() as patch:
        for name, write in writers.items():
            patch.setattr(outputs, name, with_little_room(write, size))
        assert guarded(job) == 2
    said = capsys.readouterr().err
    assert said.startswith("Error: ")
    assert "File too large. Make room, then type the same command" in said
    assert not (tmp_path / "job" / "run.json").exists()
    assert list(tmp_path.glob("unfinished/*/checkpoint.npz"))

    assert guarded(job) == 0
    assert numbers_in(tmp_path / "job") == numbers_in(whole)
    assert not list(tmp_path.glob("unfinished/*/checkpoint.npz"))


def test_no_room_for_a_checkpoint(run_here, tmp_path, capsys):
    def job():
        run_here(tmp_path / "job", *WORDS, *WIDE, f"tracking.root={tmp_path}")

    with room(1_000_000):
        assert guarded(job) == 2
    assert "Make room, then type the same command" in capsys.readouterr().err
    assert not list(tmp_path.glob("unfinished/*/checkpoint.npz"))
