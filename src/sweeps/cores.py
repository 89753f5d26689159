"""How a sweep shares the cores of a machine: processes, and threads of TensorFlow in each.

A process fixes its threads once, and runs many jobs.
"""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from omegaconf import DictConfig

from src.config.legal import require
from src.config.ranges import AUTO, Count
from src.errors import UserError

PROJECT = Path(__file__).resolve().parents[2]
MOST_WORKERS = 1024
THREADS = "training.threads="
ALIKE = ("loss", "metric", "sampling", "estimator", "seed", "training", "data.seed")
"""Keys, and sections of them, that leave the numbers in a batch as they are."""
BATCH = "training.batch_size"


def python_path() -> str:
    """``PYTHONPATH`` for the processes of a sweep: the project, and what the user has in it."""
    given = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(PROJECT), *([given] if given else [])])


def one_thread(
    master: DictConfig, words_of_jobs: Iterable[Sequence[str]], searched: Iterable[str] = ()
) -> list[str]:
    """What to add to the words of each job so that ``auto`` comes to the same number in all.

    One thread where batches may differ in size; where they are alike, nothing. It follows from
    what was typed, and not from the launcher, so that runs have the same bits in each. SEARCHED
    are further keys that vary.
    """
    words = {word for words in words_of_jobs for word in words}
    if master.training.threads != AUTO or any(word.startswith(THREADS) for word in words):
        return []
    values = Counter(word.partition("=")[0] for word in words)
    varied = [*searched, *(key for key, several in values.items() if several > 1)]
    return [] if all(map(_leaves_batches, varied)) else [f"{THREADS}1"]


def _leaves_batches(key: str) -> bool:
    return key != BATCH and (key in ALIKE or key.partition(".")[0] in ALIKE)


def workers(n_jobs: int, threads: int) -> int:
    """How many jobs run at once on this machine; -1 means as many as the cores allow.

    Raises:
        UserError: for a number that is none of workers.
    """
    from joblib import cpu_count  # not before a sweep's jobs are known to be right

    whole = isinstance(n_jobs, int) and not isinstance(n_jobs, bool)
    if not whole or n_jobs == 0 or not -1 <= n_jobs <= MOST_WORKERS:
        raise UserError(
            f"hydra.launcher.n_jobs={n_jobs}: must be a number of workers, 1 to {MOST_WORKERS}, or "
            "-1 for as many as there are cores"
        )
    return n_jobs if n_jobs > 0 else max(1, cpu_count() // threads)


def workers_sharing(launcher: DictConfig, jobs: int, threads: int | str = AUTO) -> int:
    """How many processes share the cores of this machine while a sweep runs.

    It follows from what was typed alone, and not from which jobs are done already, so that the same
    command has the same number.

    Args:
        launcher: the node ``hydra.launcher`` of the sweep's config.
        jobs: how many the sweep has.
        threads: of TensorFlow in each process; ``auto`` where they follow from this number.

    Returns:
        1 where jobs run one after another, as ``hydra/launcher=auto`` has them below its
        ``fewest_jobs``; on a cluster, whose cores are not known here, as many as
        there are cores, so that each job has one.

    Raises:
        UserError: for numbers of workers or jobs that are none.
    """
    each = 1 if threads == AUTO else int(threads)
    at_once = workers(launcher.get("n_jobs", 1), each)
    if launcher.get("cluster") == "slurm" or "num_cpus" in launcher:
        return workers(-1, each)
    fewest = launcher.get("fewest_jobs", 1)
    require("hydra.launcher.fewest_jobs", fewest, Count)
    return min(jobs, at_once) if jobs >= fewest else 1
