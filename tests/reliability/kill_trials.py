"""Kills sweeps at random moments, many times, and counts.

    python -m tests.reliability.kill_trials --trials 20

Exit status: 0 where nothing was lost in any trial.
"""

import argparse
import random
import tempfile
from collections import Counter
from pathlib import Path

from tests.reliability.children import Forks
from tests.reliability.killing import MOMENTS, SWEEP, run_trial
from tests.reliability.recorded import results

KILLS = 3
FOUR_RUNS = (*SWEEP, "seed=0,1")


def main():
    parser = argparse.ArgumentParser(description="Kill sweeps at random moments and count.")
    parser.add_argument("--trials", type=int, default=20, help="sweeps to kill several times each")
    parser.add_argument("--seed", type=int, default=0, help="decides the moments")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    killed, lost, dead = Counter(), [], 0
    with tempfile.TemporaryDirectory() as place, Forks() as forks:
        reference = uninterrupted(Path(place) / "reference", forks, FOUR_RUNS)
        for number in range(1, options.trials + 1):
            folder = Path(place) / str(number)
            folder.mkdir()
            moments = rng.choices(sorted(MOMENTS), k=KILLS)
            trial = run_trial(folder, moments, reference, forks, rng, words=FOUR_RUNS)
            killed.update(trial.killed)
            dead += trial.dead
            lost += [f"trial {number} ({', '.join(moments)}): {text}" for text in trial.lost]
            print(
                f"trial {number}: {', '.join(moments)}: {trial.lost or 'nothing lost'}", flush=True
            )
    by_moment = ", ".join(f"{name} {killed[name]}" for name in MOMENTS)
    print(f"{options.trials} sweeps, {killed.total()} processes killed ({by_moment}); ", end="")
    print(f"{dead} runs of dead processes, all marked; {len(lost)} losses")
    print("\n".join(lost))
    return bool(lost)


def uninterrupted(folder, forks, words):
    """The results of the sweep that nobody kills."""
    folder.mkdir(exist_ok=True)
    assert forks.start(words, folder).wait() == 0, (folder / "output.txt").read_text()
    return results(folder / "mlruns")


if __name__ == "__main__":
    raise SystemExit(main())
