"""How many seeds a comparison gets: by the size of its data and its trials, before anything runs.

The plan is made for two cores, whatever the machine has, so that the same file always gets the same
seeds: a number that followed from results, or from the machine, would be no plan.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from src.data.dataset import Dataset
from src.engine.sizing import sized

CORES = 2
FEWEST, MOST = 4, 20
"""Seeds; always an even number, since two share a split."""
SHORTEST, LONGEST = 150.0, 1500.0
"""Seconds that a plan may take, on ``CORES``: for up to a thousand rows, and for any number."""
ROWS, GROWTH = 1_000, 0.42
"""The time grows with the rows to this power: 300,000 rows get ten times as much as 1,000."""
A_RUN = 0.5
"""Processor seconds of a run beside its training: model, scores, record and store."""
A_STEP, A_WEIGHT = 1.7e-4, 8.5e-11
"""Processor seconds of a step, and of each weight for each row of its batch."""
AN_EPOCH = 2.5e-3
"""Processor seconds at the end of an epoch."""


def planned_seeds(configs: Sequence[Mapping[str, Any]], dataset: Dataset) -> tuple[int, float]:
    """The number of seeds for a sweep, and the processor seconds that all its runs take.

    Args:
        configs: resolved, of all jobs with one seed.
        dataset: of one of them.
    """
    a_seed = sum(seconds_of_run(sized(config, dataset), dataset) for config in configs)
    time = min(SHORTEST * max(sum(dataset.rows.values()) / ROWS, 1) ** GROWTH, LONGEST)
    seeds = min(max(int(CORES * time / a_seed) // 2 * 2, FEWEST), MOST)
    return seeds, seeds * a_seed


def seconds_of_run(config: Mapping[str, Any], dataset: Dataset) -> float:
    """Processor seconds of a run, about; measured with dense layers on one core of a server.

    Args:
        config: the resolved config, sizes filled in.
        dataset: gives rows, columns and classes.
    """
    training, widths = config["training"], config["model"].get("hidden") or [64]
    layers = [int(np.prod(dataset.input_shape)), *widths, dataset.num_classes]
    weights = sum(before * after for before, after in pairwise(layers))
    rows = len(dataset.y_train)
    steps = -(-rows // training["batch_size"])
    an_epoch = AN_EPOCH + steps * A_STEP + rows * weights * A_WEIGHT
    return float(A_RUN + training["epochs"] * an_epoch)
