"""One trial: a sweep that is killed several times at random moments, then left to end."""

import time
from dataclasses import dataclass, field

from tests.reliability.children import LONGEST, fresh
from tests.reliability.recorded import numbers_in, results, runs_of

SWEEP = (
    "-m",
    "loss=ce,focal",
    "compare=false",
    "model.dropout=0.3",
    "data.n_samples=400",
    "data.minority_fraction=0.2",
    "training.epochs=4",
    "training.learning_rate=0.01",
    "tracking.plots=false",
)
MOMENTS = {
    "importing": (None, 6.0),
    "starting": (None, 3.0),
    "training": ("mlruns/unfinished/*/checkpoint.npz", 1.0),
    "writing": ("multirun/*/*/*/history.csv", 0.25),
    "uploading": ("multirun/*/*/*/run.json", 0.6),
}
"""A file that appears or changes when the moment has come, and how many seconds it lasts."""


@dataclass
class Trial:
    """What a trial found.

    Attributes:
        killed: by moment, how many processes died there.
        lost: what is not as in the uninterrupted sweep; empty where nothing was lost.
        dead: how many runs of killed processes were marked.
    """

    killed: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    dead: int = 0


def run_trial(folder, moments, reference, forks, rng, *, words):
    """Kills the sweep once at each moment, starts it again each time, and compares at the end.

    Args:
        folder: an empty one, where the sweep runs.
        moments: names of `MOMENTS`, in order.
        reference: `results` of the uninterrupted sweep.
        forks: starts processes that have TensorFlow already.
        rng: decides when within a moment.
        words: of the sweep.
    """
    trial = Trial()
    for moment in moments:
        start = fresh if moment == "importing" else forks.start
        child = start(words, folder)
        _wait_for(moment, folder, child, rng)
        if child.kill() < 0:
            trial.killed[moment] = trial.killed.get(moment, 0) + 1
        trial.lost += _half_written(folder, reference)
    status = forks.start(words, folder).wait()
    if status:
        trial.lost.append(f"exit status {status}: {(folder / 'output.txt').read_text()[-2000:]}")
        return trial
    jobs, sweeps = runs_of(folder / "mlruns")
    ended = [run.info.status for run in jobs]
    trial.dead = ended.count("KILLED") + ended.count("FAILED")
    if not ended.count("FINISHED") == len(reference) == len(ended) - trial.dead:
        trial.lost.append(f"runs ended {ended}")
    if [run.info.status for run in sweeps] != ["FINISHED"]:
        trial.lost.append(f"sweeps ended {[run.info.status for run in sweeps]}")
    trial.lost += differences(results(folder / "mlruns"), reference)
    if leftovers := list(folder.glob("mlruns/unfinished/*/checkpoint.npz")):
        trial.lost.append(f"left over: {leftovers}")
    return trial


def differences(found, reference):
    """Every quantity of every run that is not the same to the bit."""
    lost = [f"{name}: in one store alone" for name in found.keys() ^ reference.keys()]
    for name in found.keys() & reference.keys():
        lost += [
            f"{name}: {part} differ"
            for part in found[name]
            if found[name][part] != reference[name][part]
        ]
    return lost


def _wait_for(moment, folder, child, rng):
    """Until a moment has come, and a random while longer; or until the process ends."""
    pattern, seconds = MOMENTS[moment]
    if pattern:
        before, deadline = _state(folder, pattern), time.monotonic() + LONGEST
        while _state(folder, pattern) <= before:
            if child.poll() is not None:
                return
            assert time.monotonic() < deadline, f"{moment} has not come after {LONGEST} s"
            time.sleep(0.002)
    until = time.monotonic() + rng.uniform(0, seconds)
    while time.monotonic() < until and child.poll() is None:
        time.sleep(0.002)


def _state(folder, pattern):
    """The files of a pattern with the times of their last change."""
    found = set()
    for file in folder.glob(pattern):
        try:
            found.add((str(file), file.stat().st_mtime_ns))
        except FileNotFoundError:  # it was replaced or removed in this moment
            continue
    return found


def _half_written(folder, reference):
    """Folders that count as whole and are not; they are compared with the reference in full."""
    by_identity = {run["identity"]: run for run in reference.values()}
    lost = []
    for record in folder.glob("multirun/*/*/*/run.json"):
        try:
            found = numbers_in(record.parent)
        except Exception as error:
            lost.append(f"{record.parent}: counts as whole, but {error!r}")
            continue
        expected = by_identity[found["identity"]]
        lost += [f"{record.parent}: {part}" for part in found if not same(found, expected, part)]
    return lost


def same(found, expected, part):
    """Whether a part of a folder is that of a store, where the last epoch's metrics come in too."""
    if part == "final":
        return found[part].items() <= expected[part].items()
    return found[part] == expected[part]
