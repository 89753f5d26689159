"""Models of the jobs to come, built before their turn.

Seeding, which comes before a model is built, empties TensorFlow's cache of kernels, and loading a
graph into it again takes longer than a short training. So the models of several jobs are built in
one go, each with its own seed; when their turn comes, the graph that they share is still loaded. A
model that is built early has the bits of one that is built late.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from itertools import islice, takewhile
from typing import Any

import keras

from src.data.dataset import Dataset
from src.engine.build import facts_of, fill
from src.engine.shared_graph import OF_ONE_RUN
from src.runs.identity import digest_of

MOST = 16
"""Models that wait for their turn; of small ones, since each job's is held in memory anyway."""

Config = Mapping[str, Any]

_waiting: dict[str, keras.Model] = {}


def model_for(
    config: Config,
    dataset: Dataset,
    coming: Iterable[Config],
    build: Callable[[Config, Dataset], keras.Model],
) -> keras.Model:
    """The compiled model of a config, with the weights that its seed gives.

    Args:
        config: the resolved config of the job whose turn it is.
        dataset: gives ``auto`` its meaning.
        coming: configs of the jobs after it, in order.
        build: makes and seeds a model.
    """
    name = _name(config, dataset)
    if name in _waiting:
        return _waiting.pop(name)
    _waiting.clear()
    # Only those that come next: a job of another kind in between would clear them unused.
    for later in islice(takewhile(partial(_alike, config), coming), MOST):
        with suppress(Exception):  # what is wrong with a job is said when its turn comes
            if (its_name := _name(later, dataset)) not in {name, *_waiting}:
                _waiting[its_name] = build(later, dataset)
    return build(config, dataset)


def _name(config: Config, dataset: Dataset) -> str:
    """All that a model with its compiled parts is made from, its data's facts filled in."""
    facts = facts_of(dataset)
    parts = {key: fill(config[key], facts) for key in ("model", "metric", "training")}
    return digest_of({**parts, "loss": fill(config["loss"]["fn"], facts), "facts": facts})


def _alike(config: Config, later: Config) -> bool:
    """Whether the same facts of the data, and the same settings of TensorFlow, do for both."""
    return _setting(config) == _setting(later)


def _setting(config: Config) -> list[dict[str, Any]]:
    return [
        {key: value for key, value in config[section].items() if key not in OF_ONE_RUN}
        for section in ("model", "data", "training")
    ]
