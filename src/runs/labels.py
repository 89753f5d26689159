"""What a run is called by people, in tables and reports: ``focal(gamma=2, alpha=0.25) + smote``."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from src.config.estimator_schema import ESTIMATORS
from src.config.schema import SMOTEConfig
from src.runs.identity import is_reference, sampling_of

SAMPLED_BY = " + "
"""Between a loss or an estimator and how its training rows are sampled."""
NO_KNOBS = ("name", "_target_", "batches")
USUAL = {one.name: one.default for one in fields(SMOTEConfig)}
"""What a sampler is given where nobody chooses; a label leaves it out."""


def run_label(config: Mapping[str, Any]) -> str:
    """The loss or the estimator of a run, and how its training rows are sampled.

    Args:
        config: the resolved config.
    """
    reference = is_reference(config)
    label = estimator_label(config["estimator"]) if reference else loss_label(config["loss"])
    sampling = sampling_of(config)
    if not sampling:
        return label
    knobs = {key: value for key, value in sampling.items() if key not in NO_KNOBS}
    own = {key: value for key, value in knobs.items() if value != USUAL.get(key)}
    return f"{label}{SAMPLED_BY}{_with_knobs(config['sampling']['name'], own)}"


def loss_label(loss: Mapping[str, Any]) -> str:
    """The loss and the knobs that it uses, for people: ``focal(gamma=2, alpha=0.25)``.

    Args:
        loss: the resolved ``loss`` node.
    """
    return _with_knobs(loss["name"], dict(_knobs(loss["fn"])))


def estimator_label(node: Mapping[str, Any]) -> str:
    """The estimator and what is not as usual in it: ``random forest, balanced(C=10)``.

    Args:
        node: the resolved ``estimator`` node, not ``none``.
    """
    usual = vars(ESTIMATORS[node["name"]]())
    name = node["name"].replace("_", " ")
    name += ", balanced" if node.get("class_weight") else ""
    knobs = {key: value for key, value in node.items() if key not in {"name", "class_weight"}}
    return _with_knobs(name, {key: value for key, value in knobs.items() if value != usual[key]})


def _knobs(fn: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What a loss is made with, and a loss within it."""
    hidden = {"_target_", "from_logits", "class_counts", "name", "reduction"}
    for key, value in fn.items():
        if isinstance(value, Mapping):
            yield from _knobs(value)
        elif key not in hidden:
            yield key, value


def _with_knobs(name: str, knobs: Mapping[str, Any]) -> str:
    shown = ", ".join(f"{key}={_short(value)}" for key, value in knobs.items())
    return f"{name}({shown})" if shown else str(name)


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return "[" + ", ".join(_short(entry) for entry in value) + "]"
    return str(value)
