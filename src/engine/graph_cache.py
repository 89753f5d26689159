"""The graphs that a process has traced, so that runs of the same shape share one."""

import json
import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

import keras
import tensorflow as tf
from numpy.typing import NDArray

from src.components import ClippedModel
from src.data.dataset import Dataset
from src.engine.build import build, data_arguments, resolve_auto
from src.engine.checkpoint import build_optimizer, variables_of
from src.engine.model import build_model
from src.engine.shared_graph import TrainingGraph
from src.engine.traced_hyperparameters import loss_key

T = TypeVar("T")
OF_ONE_RUN = (
    *("seed", "epochs", "patience", "monitor", "mode", "progress", "tensorboard"),
    "learning_rate",  # the optimizer's node has it
)
"""Training keys that the graph does not depend on."""
KERAS_OPTIMIZERS = "keras.optimizers."
KERAS_STEPS = (
    "fit",
    "evaluate",
    "train_step",
    "test_step",
    "predict_step",
    "compute_loss",
    "compute_metrics",
    "get_metrics_result",
    "reset_metrics",
    "make_train_function",
    "make_test_function",
    "make_predict_function",
)
"""A model that overrides one of these may do anything in it."""
CALLS_PYTHON = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}
"""Operations that call Python back."""


class GraphCache:
    """Traced graphs by what they are made from.

    Args:
        most: graphs that are kept, and beginnings of runs; of either the one that was not used for
            longest goes first.
    """

    def __init__(self, most: int = 32) -> None:
        self._most = most
        self._graphs: OrderedDict[str, TrainingGraph | str] = OrderedDict()
        self._starts: OrderedDict[str, list[NDArray[Any]]] = OrderedDict()

    def __len__(self) -> int:
        """How many graphs are kept, with those that cannot be shared."""
        return len(self._graphs)

    def get(
        self, config: Mapping[str, Any], dataset: Dataset, *, measure: bool = True
    ) -> TrainingGraph | str:
        """The graph of a config's runs, traced now if no earlier run has; or why there is none.

        Args:
            config: the resolved config.
            dataset: gives ``auto`` its meaning.
            measure: whether training steps are measured, too, as validation always is.

        Raises:
            UserError: where a part of the model refuses its arguments.
        """

        def trace() -> TrainingGraph | str:
            size = config["training"]["batch_size"]
            return _trace(build_model(config, dataset), dataset, size, measure=measure)

        key = graph_key(config, dataset) + ("" if measure else " unmeasured")
        return self._kept(self._graphs, key, trace)

    def _kept(self, kept: OrderedDict[str, T], key: str, make: Callable[[], T]) -> T:
        if key not in kept:
            kept[key] = make()
            if len(kept) > self._most:
                kept.popitem(last=False)
        kept.move_to_end(key)
        return kept[key]

    def load(self, graph: TrainingGraph, config: Mapping[str, Any], dataset: Dataset) -> bool:
        """Puts a graph of this cache into the state in which a run begins.

        Trials of one seed differ in loss and learning rate alone, on every data set of the same
        shape: they begin with the weights of the first of them, so that not each builds a model.
        That is a quarter of what a run of the study takes beside its training.

        Returns:
            False where the run needs a model of its own.
        """
        optimizer = config["training"]["optimizer"]
        if _without_rate(optimizer) == optimizer:
            return False

        def begin() -> list[NDArray[Any]]:
            first = build_model(config, dataset)
            build_optimizer(first)
            return [variable.numpy() for variable in variables_of(first)]

        start = self._kept(self._starts, _start_key(config, dataset), begin)
        loss = build(config["loss"]["fn"], "loss.fn", data_arguments(dataset))
        graph.load_state(start, loss, optimizer["learning_rate"])
        return True


@cache
def process_graphs() -> GraphCache:
    """The graphs of this process: a job of a sweep leaves them to the next."""
    return GraphCache()


def graph_key(config: Mapping[str, Any], dataset: Dataset) -> str:
    """All that a graph is made from; no hyperparameter that it holds in a variable.

    Raises:
        UserError: where the loss refuses its arguments.
    """
    arguments = data_arguments(dataset)
    training = {k: v for k, v in config["training"].items() if k not in OF_ONE_RUN}
    parts = {
        "model": resolve_auto(config["model"], arguments),
        "loss": loss_key(config["loss"]["fn"], arguments),
        "metric": resolve_auto(config["metric"]["metrics"], arguments),
        "training": training | {"optimizer": _without_rate(training["optimizer"])},
        "input": [dataset.input_shape, *map(str, (dataset.x_train.dtype, dataset.x_val.dtype))],
    }
    return json.dumps(parts, sort_keys=True, default=str)


def _start_key(config: Mapping[str, Any], dataset: Dataset) -> str:
    """All that the weights and the optimizer depend on with which a run begins."""
    training = {k: v for k, v in config["training"].items() if k not in OF_ONE_RUN or k == "seed"}
    model = resolve_auto(config["model"], data_arguments(dataset))
    held = training | {"optimizer": _without_rate(training["optimizer"])}
    return json.dumps([model, held, dataset.input_shape], default=str)


def _without_rate(optimizer: Mapping[str, Any]) -> dict[str, Any]:
    """An optimizer's node, without a learning rate that a variable of Keras holds.

    A schedule is computed in the graph from its own numbers, and somebody's own optimizer may do
    anything with its rate.
    """
    held = str(optimizer.get("_target_")).startswith(KERAS_OPTIMIZERS)
    if held and isinstance(optimizer.get("learning_rate"), int | float):
        return {**optimizer, "learning_rate": "held in a variable"}
    return dict(optimizer)


def _trace(
    model: keras.Model, dataset: Dataset, batch_size: int, *, measure: bool
) -> TrainingGraph | str:
    """The graph of a model, or why it has none."""
    own = next((name for name in KERAS_STEPS if not _is_known(type(model), name)), None)
    if own is not None:
        return f"{type(model).__name__} has a {own} of its own"
    if model.distribute_strategy is not tf.distribute.get_strategy():
        return "the model is distributed"
    try:
        graph = TrainingGraph(model, dataset, batch_size, measure=measure)
    except Exception as error:
        reason = f"tracing the shared graph failed: {type(error).__name__}: {error}"
        warnings.warn(f"{reason}\nThe run is trained by Keras's fit instead.", stacklevel=6)
        return reason
    foreign = next(filter(None, map(_foreign_operation, graph.functions)), None)
    return f"{foreign} in the graph keeps a state outside its variables" if foreign else graph


def _is_known(kind: type, name: str) -> bool:
    """Whether a class computes a step as Keras does, or as the project's model."""
    return any(getattr(kind, name) is getattr(known, name) for known in (keras.Model, ClippedModel))


def _foreign_operation(function: Any) -> str | None:
    """An operation that keeps a state which no variable holds, or that calls Python.

    A random operation with a seed of its own goes on counting in its kernel, from run to run.
    """
    whole = function.graph.as_graph_def()
    nodes = [*whole.node, *(node for part in whole.library.function for node in part.node_def)]
    foreign = (node.op for node in nodes if "seed2" in node.attr or node.op in CALLS_PYTHON)
    return next(foreign, None)
