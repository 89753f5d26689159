"""A sweep in parallel on this machine: the results of the serial one, and a clean end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from src.errors import UserError
from src.sweeps.joblib_launcher import results
from tests.reliability.recorded import numbers_in, runs_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
JOBLIB = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
START = f"""
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's `&` would leave it off
sys.path.insert(0, {str(ROOT)!r})
sys.argv = ["train.py", *sys.argv[1:]]
runpy.run_path({str(ROOT / "train.py")!r}, run_name="__main__")
"""
ENDLESS = ("data.n_samples=4000", "training.batch_size=8", "training.epochs=100000")
"""Epochs of some 40 ms: in a second too few of them gather for sending to take long."""
LONGEST = 240
"""Seconds after which a child is taken to hang."""


# --- the same results ---------------------------------------------------------------------------
@pytest.fixture(scope="module")
def parallel(sweep, train, tmp_path_factory):
    """The sweep of `tests/conftest.py` by two workers, in a folder and a store of its own."""
    folder = tmp_path_factory.mktemp("parallel")
    outcome = train((*sweep.arguments, *JOBLIB), folder)
    assert outcome.status == 0, outcome.err
    (place,) = folder.glob("multirun/*/*")
    return folder, place, outcome


def test_two_workers_train_what_the_serial_sweep_trains_to_the_bit(sweep, parallel):
    _, place, _ = parallel
    trained = {file.parent.name for file in place.glob("*/run.json")}
    assert trained == {folder.name for folder in sweep.trained}
    for name in trained:
        assert numbers_in(place / name) == numbers_in(sweep.folder / name)
    answered = {file.parent.name for file in place.glob("*/answered.json")}
    assert answered == {"1", "2"}


def test_the_runs_of_a_parallel_sweep_are_children_of_one_parent(parallel):
    folder, _, _ = parallel
    jobs, (parent,) = runs_of(folder / "mlruns")
    assert parent.info.status == "FINISHED"
    assert len(jobs) == 4
    for run in jobs:
        assert run.info.status == "FINISHED"
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert run.data.tags["process.pid"] != parent.data.tags["process.pid"]
    assert len({run.data.tags["process.pid"] for run in jobs}) == 2


def test_each_job_is_told_once_as_it_ends_and_counted(parallel):
    *_, outcome = parallel
    places = [line.split("]")[0] for line in outcome.out.splitlines() if line.startswith("[")]
    assert [place.split("/")[0].strip("[") for place in places] == list("123456")
    assert places[-1] == "[6/6"
    assert all("left" in place for place in places[:-1])
    assert outcome.out.count(": test macro F1") == 4
    assert outcome.out.count("trained before, answered from") == 2
    assert outcome.err == ""


# --- jobs that fail -----------------------------------------------------------------------------
def test_jobs_that_all_fail_end_as_those_of_a_serial_sweep_do(train, tmp_path):
    words = ("data=table", "data.path=a.csv,b.csv", "data.label=y", "tracking=none")
    outcome = train(("-m", *JOBLIB, *words), tmp_path)
    assert outcome.status == 2
    lines = outcome.err.splitlines()
    place = lines.index("2 job(s) failed:")
    failed = sorted(line.split()[1] for line in lines[place + 1 : place + 3])
    assert failed == ["data.path=a.csv", "data.path=b.csv"]  # as they ended
    assert "Traceback" not in outcome.err
    assert lines[-1].startswith("Error: ")
    assert "a.csv" in lines[-1]


@pytest.mark.parametrize("n_jobs", [0, -2, 1.5, True])
def test_a_number_of_workers_that_is_none_is_refused(n_jobs):
    with pytest.raises(UserError, match=r"hydra\.launcher\.n_jobs="):
        next(results(str, [], 1, n_jobs=n_jobs))


# --- interrupted --------------------------------------------------------------------------------
def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def wait_for_two_jobs(child, folder):
    """Until two trainings are under way."""
    deadline = time.monotonic() + LONGEST
    while len(list(folder.glob("mlruns/unfinished/*/checkpoint.npz"))) < 2:
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < deadline, f"no two jobs under way after {LONGEST} s"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """Two jobs that fail, then two under way when Ctrl-C comes; folder, status, output, error."""
    folder = tmp_path_factory.mktemp("interrupted")
    words = ("model=cnn,mlp", "loss=ce,focal", "tracking.plots=false", *ENDLESS)
    child = subprocess.Popen(
        [sys.executable, "-c", START, "-m", *JOBLIB, *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    wait_for_two_jobs(child, folder)
    os.killpg(child.pid, signal.SIGINT)  # as a terminal does: to each process of the group
    out, err = child.communicate(timeout=LONGEST)
    yield folder, child.returncode, out, err
    child.kill()


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
from src.sweeps.joblib_launcher import results


def busy(job):
    print(os.getpid(), flush=True)
    time.sleep(99 * job)


for _ in results(busy, [0, 1], 1, n_jobs=2):
    pass
"""


def test_workers_whose_parent_was_killed_outright_end_too(tmp_path):
    script = tmp_path / "children.py"
    script.write_text(CHILDREN)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, script]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as parent:
        workers = [int(parent.stdout.readline()) for _ in range(2)]
        assert alive(workers[1])
        parent.kill()
        parent.wait()
        deadline = time.monotonic() + 30
        while any(map(alive, workers)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not any(map(alive, workers))


def test_a_killed_worker_is_one_clear_error_and_takes_the_others_with_it(tmp_path):
    words = ("model=mlp", "loss=ce,focal", *ENDLESS)
    child = subprocess.Popen(
        [sys.executable, "-c", START, "-m", *JOBLIB, *words],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for_two_jobs(child, tmp_path)
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
