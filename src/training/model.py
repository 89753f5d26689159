"""The model of a config: its network, seeded, and the compiled whole."""

from collections.abc import Mapping
from typing import Any

import keras

import src.components  # noqa: F401  registers the custom objects
from src.data.dataset import Dataset
from src.training.build import build, facts_of, without_name
from src.training.distribution import scope_of
from src.training.seeding import prepare


def build_model(config: Mapping[str, Any], dataset: Dataset) -> keras.Model:
    """The compiled model of a resolved config, seeded.

    Args:
        config: the resolved config.
        dataset: gives ``auto`` its meaning.

    Raises:
        UserError: where a part refuses its arguments.
    """
    facts = facts_of(dataset)
    training = config["training"]
    _prepare(training)
    with scope_of(training.get("distribute", "none"), training.get("replicas")):
        model = _network(config, facts)
        metrics = [
            build(node, f"metric.metrics.{name}", facts)
            for name, node in config["metric"]["metrics"].items()
        ]
        model.compile(
            optimizer=build(training["optimizer"], "training.optimizer"),
            loss=build(config["loss"]["fn"], "loss.fn", facts),
            metrics=metrics,
            jit_compile=training["jit_compile"],
            steps_per_execution=training["steps_per_execution"],
        )
    return model


def network_without_values(config: Mapping[str, Any], dataset: Dataset) -> keras.Model:
    """The seeded network of a config, before its variables are made.

    ``value`` of such a variable is what its initializer gives, to the bit what
    :func:`build_model` starts with, but costs a quarter of it.

    Args:
        config: the resolved config.
        dataset: gives ``auto`` its meaning.

    Raises:
        UserError: where the network refuses its arguments.
    """
    _prepare(config["training"])
    with keras.StatelessScope(initialize_variables=False):
        return _network(config, facts_of(dataset))


def _prepare(training: Mapping[str, Any]) -> None:
    prepare(
        training["seed"],
        deterministic=training["deterministic"],
        threads=training["threads"],
        precision=training["precision"],
    )


def _network(config: Mapping[str, Any], facts: Mapping[str, Any]) -> Any:
    return build(without_name(config["model"]), "model", facts)
