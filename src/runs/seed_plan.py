"""How many seeds a comparison gets: by the size of its data and its trials, before anything runs.

The plan is made for two cores, whatever the machine has, so that the same file always gets the same
seeds: a number that followed from results, or from the machine, would be no plan.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from src.config.check import FULL
from src.data.dataset import Dataset
from src.engine.model_choice import IMAGE_RANK
from src.engine.sizing import sized
from src.runs.identity import is_reference
from src.runs.split_rounds import seeds_a_round

CORES = 2
FEWEST, MOST = 4, 20
"""Seeds; always an even number, since two share a split."""
SHORTEST, LONGEST = 150.0, 1500.0
"""Seconds that a plan may take, on ``CORES``: for up to a thousand rows, and for any number."""
ROWS, GROWTH = 1_000, 0.42
"""The time grows with the rows to this power: 300,000 rows get ten times as much as 1,000."""
PER_RUN = 0.5
"""Processor seconds of a run beside its training: model, scores, record and store."""
PER_STEP, PER_PRODUCT = 1.7e-4, 8.5e-11
"""Processor seconds of a step, and of each product of a weight for each row of its batch."""
KERNEL = 9
"""Weights of a convolution from a channel to another."""
OF_BACKBONES = {
    "MobileNet": 5.7e8,
    "MobileNetV2": 3.0e8,
    "NASNetMobile": 5.6e8,
    "EfficientNetB0": 3.9e8,
    "DenseNet121": 2.8e9,
    "VGG16": 1.5e10,
}
"""Products of a weight and a number for an image of 224 x 224, as their papers give them."""
OF_OTHERS, SIDE_OF_BACKBONES = 4e9, 224
FORWARD = 1 / 3
"""Share of a training step that a frozen backbone takes: it has no gradients."""
PER_EPOCH = 2.5e-3
"""Processor seconds at the end of an epoch."""
PER_REFERENCE = 0.3
"""Processor seconds of a run of an estimator beside its fit."""
SCORES_ALONE = 0.3
"""Share of both with ``tracking.detail=scores``."""


def outline(
    rows: int,
    shape: tuple[int, ...],
    num_classes: int,
    *,
    train_share: float = 0.6,
    name: str = "",
    on_disk: bool = False,
) -> Dataset:
    """As much of a data set as a plan looks at, of one that has not been read, or is not kept.

    It has K classes and so many rows, all splits together; its name is for messages.
    """
    found = SimpleNamespace(
        input_shape=shape,
        num_classes=num_classes,
        y_train=range(round(rows * train_share)),
        rows={"all": rows},
        name=name,
        on_disk=on_disk,
        preprocessing=None,
        planned_rows=None,
    )
    return cast(Dataset, found)


def outline_of(dataset: Dataset) -> Dataset:
    """The same of a data set that is not kept."""
    size, shape, classes = sum(dataset.rows.values()), dataset.input_shape, dataset.num_classes
    return outline(
        size,
        shape,
        classes,
        train_share=len(dataset.y_train) / size,
        name=dataset.name,
        on_disk=dataset.on_disk,
    )


def planned_seeds(configs: Sequence[Mapping[str, Any]], dataset: Dataset) -> tuple[int, float]:
    """The number of seeds for a sweep, and the processor seconds that all its runs take.

    They are whole rounds of splits, so that every fold, or origin, is tested as often. References
    make them no fewer, unless all would take longer than the longest plan.

    Args:
        configs: resolved, of all jobs with one seed.
        dataset: of one of them.
    """
    networks = [sized(config, dataset) for config in configs if not is_reference(config)]
    fitted = [] if dataset.on_disk else configs  # estimators need all rows in memory
    references = [config["estimator"] for config in fitted if is_reference(config)]
    losses = sum(seconds_of_run(config, dataset) for config in networks)
    time = min(SHORTEST * max(sum(dataset.rows.values()) / ROWS, 1) ** GROWTH, LONGEST)
    whole = losses + sum(seconds_of_reference(node, dataset) for node in references)
    # estimators alone are planned as losses are
    fitting = min(CORES * time / (losses or whole), CORES * LONGEST / whole)
    a_round = max(2, seeds_a_round(dataset.split, configs[0]["data"]))
    fewest = -(-FEWEST // a_round) * a_round
    seeds = max(min(int(fitting), MOST) // a_round * a_round, fewest)
    return seeds, seeds * whole


def seconds_of_job(config: Mapping[str, Any], dataset: Dataset) -> float:
    """Processor seconds of a job of a study, about, by its data, or their outline."""
    if is_reference(config):
        seconds, beside = seconds_of_reference(config["estimator"], dataset), PER_REFERENCE
    else:
        seconds, beside = seconds_of_run(sized(config, dataset), dataset), PER_RUN
    saved = 0.0 if config["tracking"]["detail"] == FULL else beside * (1 - SCORES_ALONE)
    return seconds - saved


def seconds_of_run(config: Mapping[str, Any], dataset: Dataset) -> float:
    """Processor seconds of a run whose sizes are filled in, about; on one core of a server."""
    training, rows = config["training"], len(dataset.y_train)
    products = products_of(config["model"], dataset.input_shape, dataset.num_classes)
    steps = -(-rows // training["batch_size"])
    per_epoch = PER_EPOCH + steps * PER_STEP + rows * products * PER_PRODUCT
    return float(PER_RUN + training["epochs"] * per_epoch)


def products_of(model: Mapping[str, Any], shape: Sequence[int], classes: int) -> int:
    """Products of a weight and a number in one forward pass of one row.

    Args:
        model: the resolved ``model`` node, sizes filled in; of one that is not of this project
            nothing is known but that it may have two dense layers.
        shape: of the row.
        classes: K.
    """
    kind = model.get("_target_") if len(shape) == IMAGE_RANK else None
    if kind == "src.components.pretrained":
        height, width = model["resize"] or shape[:2]
        whole = OF_BACKBONES.get(model["backbone"], OF_OTHERS) * (FORWARD if model["frozen"] else 1)
        wide = (model["options"] or {}).get("alpha", 1.0)  # as MobileNets have it
        return int(whole * wide**2 * height * width / SIDE_OF_BACKBONES**2)
    if kind == "src.components.resnet":  # half the channels on four times the pixels is as much
        area, first = math.prod(shape[:2]), model["filters"]
        return int(area * KERNEL * first * (shape[2] + (model["depth"] - 3) * first))
    if "dense" in model:
        (*sides, channels), products = shape, 0
        for wide in model["filters"]:
            products += math.prod(sides) * KERNEL * channels * wide
            sides, channels = [-(-side // 2) for side in sides], wide
        layers = [math.prod(sides) * channels, model["dense"], classes]
    else:
        products, layers = 0, [math.prod(shape), *(model.get("hidden") or [64]), classes]
    return products + sum(before * after for before, after in pairwise(layers))


def seconds_of_reference(node: Mapping[str, Any], dataset: Dataset) -> float:
    """The same of a run that fits the estimator of a resolved ``estimator`` node."""
    rows, columns = len(dataset.y_train), int(np.prod(dataset.input_shape))
    cells, classes = rows * columns, dataset.num_classes
    a_round = (1 if classes == 2 else classes) * (8e-4 + 1e-8 * cells)
    per_tree = 1e-3 + 3e-8 * rows * np.log2(rows) * columns**0.5
    seconds = {
        "logistic_regression": 1e-7 * cells * classes,
        "random_forest": per_tree * node.get("n_estimators", 0),
        "balanced_random_forest": (1e-3 + per_tree / 4) * node.get("n_estimators", 0),
        "hist_gradient_boosting": a_round * node.get("max_iter", 0),
        "easy_ensemble": (0.04 + 6e-7 * cells) * node.get("n_estimators", 0),
    }
    return float(PER_REFERENCE + seconds.get(node["name"], 0.0))
