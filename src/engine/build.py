"""Turns config nodes into objects: the data set, and the parts of a compiled model.

A value ``auto`` in a node stands for what only the data knows: ``input_shape``, ``num_classes``,
``class_counts`` (of the rows that are trained on, after sampling), or ``alpha``, weights by inverse
frequency there.
"""

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate

from src.config.ranges import AUTO
from src.data.dataset import Dataset
from src.errors import UserError, user_error_behind

PER_CLASS = ("alpha", "class_counts", "weights")
"""Arguments of a loss that hold one entry per class where they are lists."""


def load_dataset(node: Mapping[str, Any]) -> Dataset:
    """The data set that a resolved ``data`` node names.

    Raises:
        UserError: where the data cannot be used, or the target gives no ``Dataset``.
    """
    dataset = build(without_name(shared_split(node)), "data")
    if not isinstance(dataset, Dataset):
        raise UserError(
            f"data._target_={node.get('_target_')}: must return a src.data.dataset.Dataset, "
            f"returned {type(dataset).__name__}"
        )
    return dataset


def shared_split(node: Mapping[str, Any]) -> dict[str, Any]:
    """The ``data`` node with the number of a split for a seed.

    With ``seeds_per_split: n`` the seeds kn to kn + n - 1 have split k; their runs differ in
    training alone.

    Raises:
        UserError: where ``seeds_per_split`` is no whole number of at least 1.
    """
    rest = dict(node)
    seeds = rest.pop("seeds_per_split", 1)
    if not isinstance(seeds, int) or isinstance(seeds, bool) or seeds < 1:
        raise UserError(f"data.seeds_per_split={seeds}: must be a whole number, at least 1")
    return rest | {"seed": rest["seed"] // seeds} if seeds > 1 and "seed" in rest else rest


def check_loss(loss: Mapping[str, Any], dataset: Dataset) -> None:
    """Holds the lists that the ``fn`` of a resolved ``loss`` node uses against the classes.

    Raises:
        UserError: names the key, the list and the right length.
    """
    for name in PER_CLASS:
        entries = loss["fn"].get(name)
        if isinstance(entries, list) and len(entries) != dataset.num_classes:
            key = f"loss.{name}" if loss.get(name) == entries else f"loss.fn.{name}"
            raise UserError(
                f"{key}={entries}: has {len(entries)} entries; right is one per class, "
                f"{dataset.num_classes} for data {dataset.name}"
            )


def build(node: Mapping[str, Any], key: str, arguments: Mapping[str, Any] | None = None) -> Any:
    """Instantiates a node of a config, ``auto`` replaced.

    Args:
        node: holds ``_target_`` and its arguments.
        key: where the node stands in the config, for messages.
        arguments: what ``auto`` means, by argument name.

    Raises:
        UserError: where the target cannot be found or refuses its arguments.
    """
    resolved = resolve_auto(node, arguments or {})
    try:
        return instantiate(resolved, _convert_="all")
    except InstantiationException as error:
        raise _mendable(error, node, key) from error


def without_name(node: Mapping[str, Any]) -> dict[str, Any]:
    """The node without ``name``, a label for people."""
    return {key: value for key, value in node.items() if key != "name"}


def data_arguments(dataset: Dataset) -> dict[str, Any]:
    """The values that stand in for ``auto`` with this data set.

    ``alpha`` is n / (K n_c), the weights of ``weighted_ce``; a class without rows counts as one.
    """
    counts = dataset.trained_counts
    return {
        "input_shape": dataset.input_shape,
        "num_classes": dataset.num_classes,
        "class_counts": list(counts),
        "alpha": [sum(counts) / (len(counts) * max(count, 1)) for count in counts],
    }


def resolve_auto(node: Any, arguments: Mapping[str, Any]) -> Any:
    """A copy of a node with ``auto`` replaced by the argument of its name."""
    if isinstance(node, Mapping):
        return {
            name: arguments[name]
            if value == AUTO and name in arguments
            else resolve_auto(value, arguments)
            for name, value in node.items()
        }
    if isinstance(node, list):
        return [resolve_auto(value, arguments) for value in node]
    return node


def _mendable(error: InstantiationException, node: Mapping[str, Any], key: str) -> Exception:
    """The user's mistake behind a failed instantiation, or the error itself where it is a bug."""
    if (mistake := user_error_behind(error)) is not None:
        return mistake
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    target = node.get("_target_")
    if isinstance(cause, ImportError | AttributeError) and not _inside_target(cause):
        return UserError(f"{key}._target_={target}: cannot be imported: {cause}")
    if isinstance(cause, TypeError | ValueError):
        return UserError(f"{key} ({target}): {cause}")
    return error


def _inside_target(cause: BaseException) -> bool:
    """Whether an error was raised in the target's own body, and not by Hydra looking for it."""
    last = traceback.extract_tb(cause.__traceback__)[-1].filename
    return "hydra" not in Path(last).parts and "importlib" not in last
