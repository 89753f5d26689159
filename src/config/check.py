"""Holds a composed config against the ranges of its schemas, before anything heavy is imported."""

import dataclasses
import importlib.util
from collections.abc import Sequence
from typing import Any, get_type_hints

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from src.config.estimator_schema import FOR_PIXELS, NONE, not_for_pixels
from src.config.legal import problems
from src.config.loss_schema import LossConfig
from src.config.ranges import AUTO
from src.config.schema import Config, TrackingConfig, TrainingConfig
from src.errors import UserError

OF_IMAGES = (
    "src.data.digits.digits",
    "src.data.fashion_mnist.fashion_mnist",
    "src.data.images.image_folder.image_folder",
    "src.data.images.image_arrays.image_arrays",
)
"""Sources of images, which are known before they are loaded."""
GROUPS = ("loss", "metric", "model", "data", "sampling", "estimator")
HYDRA = "hydra"
FULL = "full"
"""``tracking.detail`` of runs that keep more than scores."""
LARGEST_TABLE = 500_000_000
"""Numbers of a made data set: about 4 GiB, as of a table that is read."""


def check(cfg: DictConfig) -> dict[str, Any]:
    """Checks every value of a composed config of one job; a ``hydra`` node is left out.

    Returns:
        The config, resolved, in plain types.

    Raises:
        UserError: names each wrong key, its value and what is legal.
    """
    seed = cfg.get("seed", 0)  # before others follow it
    if type(seed) is not int or not 0 <= seed < 2**32:
        sweeps = "; auto is for sweeps, behind -m" if seed == AUTO else ""
        raise UserError(f"seed={seed}: must be an integer from 0 to 4294967295{sweeps}")
    try:
        plain = {str(key): _resolved(cfg[key]) for key in cfg if key != HYDRA}
    except MissingMandatoryValue as error:
        raise UserError(_what_belongs(cfg, str(error.full_key))) from error
    except OmegaConfBaseException as error:
        raise UserError(_first_line(error)) from error
    wrong = [f"{key}: is missing" for key in Config.__dataclass_fields__ if key not in plain]
    if wrong:  # taken out with ~
        raise UserError("\n".join(wrong))
    for section in ("training", "tracking", "tuning", *GROUPS):
        schema = _schema_of(cfg, section)
        if schema is not None:
            wrong += _wrong(schema, plain[section], section)
    if str(plain["compare"]).lower() not in {"true", "false", AUTO}:
        wrong.append(f"compare={plain['compare']}: must be true, false or auto")
    check_together(plain, wrong)
    return plain


def check_together(plain: dict[str, Any], wrong: Sequence[str] = ()) -> None:
    """Checks what depends on several sections of a resolved config, each of which was checked.

    Raises:
        UserError: with what was found wrong before; names each key, its value and what is legal.
    """
    wrong = [*wrong, *(_cross_problems(plain) or _estimator_problems(plain))]
    if wrong:
        raise UserError("\n".join(wrong))


def _resolved(node: Any) -> Any:
    if OmegaConf.is_config(node):
        return OmegaConf.to_container(node, resolve=True, throw_on_missing=True)
    return node


def _schema_of(cfg: DictConfig, section: str) -> type | None:
    """The dataclass behind a section; None for a user's own section without one."""
    node_type = OmegaConf.get_type(cfg, section)
    if isinstance(node_type, type) and dataclasses.is_dataclass(node_type):
        return node_type
    return {"loss": LossConfig, "training": TrainingConfig, "tracking": TrackingConfig}.get(section)


def _what_belongs(cfg: DictConfig, key: str) -> str:
    """A sentence on a mandatory key without a value: how to type it, and what is legal there."""
    section, _, name = key.partition(".")
    schema = _schema_of(cfg, section)
    hints = get_type_hints(schema, include_extras=True) if schema else {}
    reasons = [f", which {reason}" for _, reason in problems("", hints.get(name, str))]
    return f"{key}: is missing; type {key}=VALUE{''.join(reasons)}"


def _wrong(schema: type, values: Any, section: str) -> list[str]:
    """A sentence for each wrong value of a section."""
    if not isinstance(values, dict):
        return [f"{section}={values}: must be a mapping with the keys of {schema.__name__}"]
    sentences = []
    for name, hint in get_type_hints(schema, include_extras=True).items():
        if name not in values:
            continue  # of a user's own section: the default counts
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            sentences += _wrong(hint, values[name], f"{section}.{name}")
            continue
        for places, reason in problems(values[name], hint):
            value = values[name]
            for place in places:
                value = value[place]
            key = ".".join([section, name, *map(str, places)])
            typed = str(value).lower() if isinstance(value, bool) else value
            sentences.append(f"{key}={typed}: {reason}")
    return sentences


def _cross_problems(plain: dict[str, Any]) -> list[str]:
    """What is wrong only in view of several sections."""
    training, tracking = plain["training"], plain["tracking"]
    kept = [f"tracking.{key}=false" for key in ("log_model", "plots") if tracking[key]]
    if kept and tracking["detail"] != FULL:
        return [f"tracking.detail=scores: keeps scores alone; set {' '.join(kept)} with it"]
    if plain["compare"] is True and not tracking["enabled"]:
        return ["compare=true: compares the runs of the store; leave out tracking=none with it"]
    if training["tensorboard"] and importlib.util.find_spec("tensorboard") is None:
        return [
            "training.tensorboard=true: TensorBoard is not installed; "
            "python -m pip install 'tensorboard>=2.20'"
        ]
    if training["jit_compile"] and training["deterministic"]:
        return [
            "training.jit_compile=true: XLA cannot be held to the same bits; "
            "set training.deterministic=false with it"
        ]
    data = plain["data"] if isinstance(plain["data"], dict) else {}
    rows, columns = (data.get(key) for key in ("n_samples", "n_features"))
    if isinstance(rows, int) and isinstance(columns, int) and rows * columns > LARGEST_TABLE:
        return [
            f"data.n_samples={rows}, data.n_features={columns}: {rows * columns} numbers; "
            f"must be at most {LARGEST_TABLE}"
        ]
    return _metric_problems(plain["metric"])


def _metric_problems(metric: Any) -> list[str]:
    metrics = metric.get("metrics") if isinstance(metric, dict) else None
    if not isinstance(metrics, dict) or not metrics:
        return ["metric.metrics: must hold at least one metric, each with a _target_"]
    return [
        f"metric.metrics.{key}={node}: needs a _target_: the dotted path of a metric"
        for key, node in metrics.items()
        if not isinstance(node, dict) or "." not in str(node.get("_target_"))
    ]


def _estimator_problems(plain: dict[str, Any]) -> list[str]:
    """An estimator that makes no sense of the data, or has no batches to balance."""
    name, data = plain["estimator"]["name"], plain["data"]
    if data.get("_target_") in OF_IMAGES and name not in (NONE, *FOR_PIXELS):
        return [not_for_pixels(name, data["name"])]
    if name != NONE and plain["sampling"].get("batches") == "balanced":
        return [
            f"sampling={plain['sampling']['name']}: estimator={name} is fitted on all rows at "
            "once; right is sampling=random_over"
        ]
    return []


def _first_line(error: Exception) -> str:
    key = getattr(error, "full_key", None)
    first = str(error).splitlines()[0]
    return f"{key}: {first}" if key else first
