"""Sweeps in parallel: the results of the serial one, and a clean end."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from importlib.util import find_spec
from operator import attrgetter
from pathlib import Path

import pytest

from src.errors import UserError
from src.sweeps.composer import Job
from src.sweeps.workers import Workers
from tests.reliability.children import LONGEST, ROOT, endless, wait_until
from tests.reliability.recorded import numbers_in, runs_of

pytestmark = pytest.mark.slow

JOBLIB = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")


def needs(package):
    missing = find_spec(package) is None
    return pytest.mark.skipif(missing, reason=f"{package} is not installed: make cluster")


# --- the same results ---------------------------------------------------------------------------
@pytest.fixture(
    scope="module",
    params=[
        pytest.param(JOBLIB, id="joblib"),
        pytest.param(("hydra/launcher=submitit_local",), marks=needs("submitit"), id="submitit"),
        pytest.param(("hydra/launcher=ray",), marks=needs("ray"), id="ray"),
    ],
)
def parallel(request, sweep, train, tmp_path_factory):
    """The sweep of `tests/conftest.py` by each launcher, in a folder and a store of its own."""
    folder = tmp_path_factory.mktemp("parallel")
    outcome = train((*sweep.arguments, *request.param), folder)
    assert outcome.status == 0, outcome.err
    (place,) = folder.glob("multirun/*/*")
    return folder, place, outcome, request.param


def test_what_is_trained_in_parallel_is_what_the_serial_sweep_trains_to_the_bit(sweep, parallel):
    _, place, *_ = parallel
    trained = {file.parent.name for file in place.glob("*/run.json")}
    assert trained == {folder.name for folder in sweep.trained}
    for name in trained:
        assert numbers_in(place / name) == numbers_in(sweep.folder / name)
    assert {file.parent.name for file in place.glob("*/answered.json")} == {"1", "2"}


def test_the_runs_of_a_parallel_sweep_are_children_of_one_parent(parallel):
    folder, *_, words = parallel
    jobs, (parent,) = runs_of(folder / "mlruns")
    assert [run.info.status for run in (parent, *jobs)] == ["FINISHED"] * 5
    assert [run.data.tags["mlflow.parentRunId"] for run in jobs] == [parent.info.run_id] * 4
    processes = {run.data.tags["process.pid"] for run in jobs}
    assert parent.data.tags["process.pid"] not in processes
    assert len(processes) == 2 or words != JOBLIB


def test_each_job_is_told_once_as_it_ends_and_counted(parallel):
    _, _, outcome, words = parallel
    first, second, *_ = outcome.out.splitlines()
    assert first == "Sweep of 6 jobs, 4 different experiments."
    assert second == "2 workers load TensorFlow, which takes some seconds" or words != JOBLIB
    places = [line.split("]")[0] for line in outcome.out.splitlines() if line.startswith("[")]
    assert [place.split("/")[0].strip("[") for place in places] == list("123456")
    assert places[-1] == "[6/6"
    left = ["left" in place for place in places]
    assert left == [False] * 3 + [True] * 2 + [False], "the first jobs hold the workers' start"
    assert outcome.out.count("✓ trained ") == 4
    assert outcome.out.count("✓ reused") == 2
    assert outcome.err == ""


@pytest.mark.skipif(find_spec("ray") is not None, reason="ray is installed")
def test_a_launcher_that_is_not_installed_ends_the_command_before_a_sweep_begins(train, tmp_path):
    outcome = train(("-m", "hydra/launcher=ray", "loss=ce,focal"), tmp_path)
    assert outcome.status == 2
    assert outcome.err == "Error: hydra/launcher=ray: ray is not installed; make cluster\n"
    assert list(tmp_path.iterdir()) == []


@needs("submitit")
def test_slurm_that_is_not_here_is_one_clear_error(tmp_path, monkeypatch):
    from src.sweeps import submitit_launcher

    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="slurm"):
        next(submitit_launcher.results(str, [], 1, cluster="slurm", folder=str(tmp_path)))


@needs("submitit")
def test_a_slurm_job_that_is_stopped_is_queued_again_with_the_same_task():
    from src.sweeps.submitit_launcher import Resumable

    again = Resumable(str).checkpoint("job")
    assert isinstance(again.function, Resumable)
    assert again.args == ("job",)


# --- jobs that fail -----------------------------------------------------------------------------
def test_jobs_that_all_fail_end_as_those_of_a_serial_sweep_do(train, tmp_path):
    words = ("data=table", "data.path=a.csv,b.csv", "data.label=y", "tracking=none")
    outcome = train(("-m", *JOBLIB, *words, "estimator=majority"), tmp_path)  # which loads least
    assert outcome.status == 2
    lines = outcome.err.splitlines()
    place = lines.index("2 job(s) failed:")
    failed = sorted(line.strip() for line in lines[place + 1 : place + 3])
    assert failed == ["data.path=a.csv", "data.path=b.csv"]  # as they ended
    assert "Traceback" not in outcome.err
    assert lines[-1].startswith("Error: ")
    assert "a.csv" in lines[-1]


# --- interrupted --------------------------------------------------------------------------------
def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


@contextmanager
def two_jobs_under_way(folder, *words):
    """A sweep by two workers, when each is in the middle of a training."""
    with endless(folder, "-m", *JOBLIB, *words) as child:
        wait_until(lambda: len([*folder.glob("mlruns/unfinished/*/checkpoint.npz")]) == 2, child)
        yield child


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """Two jobs that fail, then two under way when Ctrl-C comes; folder, status, output, error."""
    folder = tmp_path_factory.mktemp("interrupted")
    with two_jobs_under_way(folder, "model=cnn,mlp", "loss=ce,focal") as child:
        os.killpg(child.pid, signal.SIGINT)  # as a terminal does: to each process of the group
        out, err = child.communicate(timeout=LONGEST)
    return folder, child.returncode, out, err


def test_ctrl_c_ends_workers_runs_and_sweep(interrupted):
    folder, status, out, err = interrupted
    assert status == 130, err
    assert "Traceback" not in err + out
    assert err.splitlines()[-1] == "Interrupted; the same command goes on where it was."
    jobs, (parent,) = runs_of(folder / "mlruns")
    assert parent.info.status == "KILLED"
    ended = [run.info.status for run in jobs if run.data.tags["model"] == "mlp"]
    assert ended == ["KILLED", "KILLED"]
    assert not [run for run in jobs if alive(run.data.tags["process.pid"])]


def test_a_job_that_fails_is_reported_and_does_not_keep_the_others_from_running(interrupted):
    folder, _, out, err = interrupted
    assert [line for line in out.splitlines() if line.startswith("[")][-1].startswith("[2/4")
    assert "2 job(s) failed:\n  model=cnn loss=" in err
    jobs, _ = runs_of(folder / "mlruns")
    ended = [run.info.status for run in jobs if run.data.tags["model"] == "cnn"]
    assert ended == ["FAILED", "FAILED"]


CHILDREN = """
import os, sys, time
from src.sweeps.composer import Job
from src.sweeps.workers import Workers


def busy(job):
    os.write(1, f"{os.getpid()}\\n".encode())  # whole, beside the other's
    time.sleep(int(sys.argv[1 + job.number]))


if __name__ == "__main__":
    jobs = [Job(number, ["estimator=majority"], b"", {}, []) for number in (0, 1)]
    for _ in Workers(jobs, 2).results(busy, jobs):
        pass
"""


@contextmanager
def two_workers(folder, *seconds):
    """A process with two workers, each busy for so long; the process, and the workers' numbers."""
    script = folder / "children.py"
    script.write_text(CHILDREN)
    with subprocess.Popen(
        [sys.executable, script, *map(str, seconds)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as sweep:
        try:
            yield sweep, sorted(int(sweep.stdout.readline()) for _ in range(2))
        finally:
            sweep.kill()


def test_workers_whose_parent_was_killed_outright_end_too(tmp_path):
    with two_workers(tmp_path, 99, 99) as (sweep, workers):
        assert any(map(alive, workers))
        sweep.kill()
        sweep.wait()
        deadline = time.monotonic() + 30
        while any(map(alive, workers)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not any(map(alive, workers))


@pytest.mark.parametrize("number", [0, 1])
def test_the_end_of_any_worker_is_noticed_though_the_others_go_on(tmp_path, number):
    with two_workers(tmp_path, 999, 999) as (sweep, workers):
        os.kill(workers[number], signal.SIGKILL)  # the one that began first, or the last
        _, err = sweep.communicate(timeout=60)
    assert err.splitlines()[-1].startswith("src.errors.UserError: a worker was ended from outside")
    assert not any(map(alive, workers))


def test_the_end_of_the_workers_is_none_of_other_children():
    before, during = (multiprocessing.Process(target=time.sleep, args=(600,)) for _ in range(2))
    jobs = [Job(number, ["estimator=majority"], b"", {}, []) for number in (0, 1)]
    before.start()
    workers = Workers(jobs, 2)
    try:
        assert sorted(workers.results(attrgetter("number"), jobs)) == [0, 1]
        during.start()
        assert len(multiprocessing.active_children()) == 4
        workers.close()
        assert set(multiprocessing.active_children()) == {before, during}
    finally:
        before.kill()
        during.kill()


def test_a_killed_worker_is_one_clear_error_and_takes_the_others_with_it(tmp_path):
    with two_jobs_under_way(tmp_path, "model=mlp", "loss=ce,focal") as child:
        first, second = runs_of(tmp_path / "mlruns")[0]
        os.kill(int(first.data.tags["process.pid"]), signal.SIGKILL)
        _, err = child.communicate(timeout=LONGEST)
    assert child.returncode == 2
    assert "Traceback" not in err
    assert err.splitlines()[-1].startswith("Error: a worker was ended from outside")
    assert "hydra.launcher.n_jobs=1" in err.splitlines()[-1]
    assert not alive(second.data.tags["process.pid"])
    jobs, (parent,) = runs_of(tmp_path / "mlruns")
    assert [run.info.status for run in jobs] == ["KILLED", "KILLED"]
    assert parent.info.status == "FAILED"
