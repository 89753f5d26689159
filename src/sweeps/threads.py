"""Threads that are ``auto``, in a sweep: a process fixes them once, and runs many of its jobs."""

from collections import Counter
from collections.abc import Iterable, Sequence

from omegaconf import DictConfig

from src.config.ranges import AUTO

THREADS = "training.threads="
ALIKE = ("loss", "metric", "sampling", "estimator", "seed", "training", "data.seed")
"""Keys, and sections of them, that leave the numbers in a batch as they are."""
BATCH = "training.batch_size"


def least_threads(master: DictConfig) -> int:
    """Threads that each job of a sweep has at least."""
    threads = master.training.threads
    return 1 if threads == AUTO else int(threads)


def one_thread(
    master: DictConfig, words_of_jobs: Iterable[Sequence[str]], searched: Iterable[str] = ()
) -> list[str]:
    """What to add to the words of each job so that ``auto`` comes to the same number in all.

    One thread where batches may differ in size; where they are alike, nothing. It follows from
    what was typed, and not from the launcher, so that runs have the same bits in each.

    Args:
        master: the sweep's config.
        words_of_jobs: the overrides of each job.
        searched: more keys that vary.
    """
    words = {word for words in words_of_jobs for word in words}
    if master.training.threads != AUTO or any(word.startswith(THREADS) for word in words):
        return []
    values = Counter(word.partition("=")[0] for word in words)
    varied = [*searched, *(key for key, several in values.items() if several > 1)]
    return [] if all(map(_leaves_batches, varied)) else [f"{THREADS}1"]


def _leaves_batches(key: str) -> bool:
    return key != BATCH and (key in ALIKE or key.partition(".")[0] in ALIKE)
