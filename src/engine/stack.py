"""Runs that differ in their seed alone, trained together where the config asks for it.

``training.stack=R`` divides the seeds into blocks, 0 to R - 1, R to 2 R - 1 and so on, and trains
the whole block of a run's seed at once. Which block a run belongs to, and where in it it stands,
follows from its own config, so its bits are the same whichever other runs a sweep has. The block is
trained for the run that comes first, an epoch whenever some run of it needs one, and kept for the
others; each of them is a run like any other, with its own callbacks, best epoch and model.
"""

import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from src.data.dataset import Dataset
from src.engine.block import Block, Replica
from src.engine.build import build, facts_of, load_datasets
from src.engine.model import build_model, networks_without_values
from src.engine.shared_graph import MOST_GRAPHS, computation_key, may_be_traced, shape_key
from src.engine.stacked_graph import StackedGraph, untrained_variables
from src.engine.stacked_optimizer import NotStackableError
from src.engine.stacked_state import StackedData, Values
from src.runs.identity import digest_of

log = logging.getLogger(__name__)

MOST_BYTES = 2**31
"""Data and epochs of blocks that are kept in memory at once."""
LARGEST_SEED = 2**32 - 1

Config = Mapping[str, Any]


_graphs: OrderedDict[str, StackedGraph] = OrderedDict()
_blocks: OrderedDict[str, Block | None] = OrderedDict()
"""By what they are made from, the last used at the end; None where it cannot be stacked."""


def replica_of(
    config: Config, dataset: Dataset, callbacks: Sequence[keras.callbacks.Callback]
) -> Replica | None:
    """A run as one of its block.

    Args:
        config: the resolved config.
        dataset: of this run.
        callbacks: those with batch hooks need ``fit``.

    Returns:
        None where ``training.stack`` is 1, or the run cannot be trained together with others.
    """
    if config["training"].get("stack", 1) == 1 or not may_be_traced(config, callbacks):
        return None
    seeds = block_of(config["training"]["seed"], config["training"]["stack"])
    index = seeds.index(config["training"]["seed"])
    key = digest_of({"block": _with_seed(config, seeds[0])["data"], "seeds": seeds,
                     "shape": computation_key(config, dataset)})  # fmt: skip
    block = _blocks.get(key)
    if key not in _blocks or (block and block.fingerprints[index] != dataset.fingerprint):
        try:
            block = _begun(config, dataset, seeds)
        except Exception as error:  # a mistake in the config is said by the ordinary way
            reason = str(error).partition("\n")[0] or type(error).__name__
            log.warning("training.stack=%d: trained one by one: %s", len(seeds), reason)
            block = None
        _blocks[key] = block
    _blocks.move_to_end(key)
    _drop_oldest()
    return None if block is None else Replica(block, index, watched=bool(callbacks))


def _drop_oldest() -> None:
    """Keeps what was used last, as far as memory goes; that one in any case."""
    while len(_blocks) > 1 and sum(b.most_bytes for b in _blocks.values() if b) > MOST_BYTES:
        _blocks.popitem(last=False)


def block_of(seed: int, size: int) -> list[int]:
    """The seeds that are trained together with one: the block of this size that it is in."""
    first = seed - seed % size
    return list(range(first, min(first + size, LARGEST_SEED + 1)))


def _begun(config: Config, dataset: Dataset, seeds: list[int]) -> Block:
    """A block before its first epoch."""
    splits = (dataset.x_train, dataset.y_train, dataset.x_val, dataset.y_val)
    data_bytes = len(seeds) * sum(array.nbytes for array in splits)
    _refuse_large(data_bytes)
    configs = [_with_seed(config, seed) for seed in seeds]
    datasets = load_datasets(config["data"], [one["data"].get("seed") for one in configs])
    shapes = {computation_key(one, data) for one, data in zip(configs, datasets, strict=True)}
    rows_of_each = {(len(data.y_train), len(data.y_val)) for data in datasets}
    if len(shapes) > 1 or len(rows_of_each) > 1:
        raise NotStackableError("their data differ in shape")
    graph = _graph(config, dataset, len(seeds))
    most_bytes = data_bytes + graph.bytes_an_epoch * config["training"]["epochs"]
    _refuse_large(most_bytes)
    return Block(
        graph=graph,
        loss=build(config["loss"]["fn"], "loss.fn", facts_of(dataset)),
        seeds=seeds,
        fingerprints=[data.fingerprint for data in datasets],
        data=StackedData.of(datasets),
        first=graph.first_state(_first_values(configs, dataset)),
        most_bytes=most_bytes,
    )


def _refuse_large(size: int) -> None:
    if size > MOST_BYTES:
        raise NotStackableError(
            f"data and epochs take {size >> 20} MiB, and {MOST_BYTES >> 20} are kept at most"
        )


def _graph(config: Config, dataset: Dataset, replicas: int) -> StackedGraph:
    rows = len(dataset.y_train), len(dataset.y_val)
    key = f"{replicas} {rows} {shape_key(config, dataset)}"
    if key not in _graphs:
        model = build_model(config, dataset)
        _graphs[key] = StackedGraph(model, dataset, replicas, config["training"]["batch_size"])
        if len(_graphs) > MOST_GRAPHS:
            _graphs.popitem(last=False)
    _graphs.move_to_end(key)
    return _graphs[key]


def _first_values(configs: Sequence[Config], dataset: Dataset) -> list[tuple[Values, Values]]:
    """What each replica starts with: its weights, and what else it has.

    All networks come before the first value: seeding empties TensorFlow's cache of kernels.
    """
    networks = networks_without_values(configs, dataset)
    keras.backend.clear_session(free_memory=False)  # else Keras makes their variables later
    return [
        ([v.value for v in net.trainable_variables], [v.value for v in untrained_variables(net)])
        for net in networks
    ]


def _with_seed(config: Config, seed: int) -> dict[str, Any]:
    """The config of a neighbour: its seed wherever the run's own seed is followed."""
    own = config["training"]["seed"]
    data, training = dict(config["data"]), {**config["training"], "seed": seed}
    if data.get("seed") == own:
        data["seed"] = seed
    return {**config, "data": data, "training": training}
