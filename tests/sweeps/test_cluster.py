"""Slurm's way of running jobs and Ray's, in their local forms: the results of the serial sweep."""

from importlib.util import find_spec

import pytest

from src.errors import UserError
from tests.reliability.recorded import numbers_in, runs_of

NEEDS = {"submitit_local": "submitit", "ray": "ray"}
GAMMAS = ("0", "2")
"""Of the serial sweep's jobs those that are trained here again."""


def absent(package):
    return pytest.mark.skipif(
        find_spec(package) is None, reason=f"{package} is not installed: make cluster"
    )


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=absent(package)) for name, package in NEEDS.items()],
)
def launched(request, train, tiny, tmp_path_factory):
    """A sweep by each launcher: its folder, and the folders of its jobs."""
    folder = tmp_path_factory.mktemp(request.param)
    gammas = ",".join(GAMMAS)
    words = ("loss=focal", f"loss.gamma={gammas}", "tracking.plots=false", *tiny)
    outcome = train(("-m", f"hydra/launcher={request.param}", *words), folder)
    assert outcome.status == 0, outcome.err
    (place,) = folder.glob("multirun/*/*")
    return folder, place, outcome


def test_the_results_are_those_of_the_serial_sweep_to_the_bit(sweep, launched):
    _, place, _ = launched
    of_gamma = {"0": "3", "2": "5"}
    for number, gamma in enumerate(GAMMAS):
        assert numbers_in(place / str(number)) == numbers_in(sweep.folder / of_gamma[gamma])


def test_the_runs_are_finished_children_of_one_parent(launched):
    folder, _, outcome = launched
    jobs, (parent,) = runs_of(folder / "mlruns")
    assert [run.info.status for run in (parent, *jobs)] == ["FINISHED"] * 3
    assert [run.data.tags["mlflow.parentRunId"] for run in jobs] == [parent.info.run_id] * 2
    assert [line for line in outcome.out.splitlines() if line.startswith("[2/2]")]


@absent("submitit")
def test_slurm_that_is_not_here_is_one_clear_error(tmp_path, monkeypatch):
    from src.sweeps.submitit_launcher import cluster_executor

    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="slurm"):
        cluster_executor("slurm", str(tmp_path))


@absent("submitit")
def test_a_slurm_job_that_is_stopped_is_queued_again_with_the_same_task():
    from src.sweeps.submitit_launcher import Resumable

    again = Resumable(str).checkpoint("job")
    assert isinstance(again.function, Resumable)
    assert again.args == ("job",)
