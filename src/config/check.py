"""Holds a composed config against the ranges of its schemas, before anything heavy is imported."""

import importlib.util
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import TypeAdapter, ValidationError

from src.config.schema import LossConfig, TrackingConfig, TrainingConfig
from src.errors import UserError

GROUPS = ("loss", "metric", "model", "data")


def check(cfg: DictConfig) -> None:
    """Checks every value of a composed config against its schema.

    Args:
        cfg: the composed config of one job, without the ``hydra`` node.

    Raises:
        UserError: names each wrong key, its value and what is legal.
    """
    try:
        plain: dict[str, Any] = OmegaConf.to_container(  # type: ignore[assignment]
            cfg, resolve=True, throw_on_missing=True
        )
    except OmegaConfBaseException as error:
        raise UserError(_first_line(error)) from error
    problems: list[str] = []
    for section in ("training", "tracking", *GROUPS):
        schema = _schema_of(cfg, section)
        if schema is not None:
            problems += _problems(schema, plain[section], section)
    if not isinstance(plain["seed"], int) or not 0 <= plain["seed"] < 2**32:
        problems.append(f"seed={plain['seed']}: must be an integer from 0 to 4294967295")
    problems += _cross_problems(plain)
    if problems:
        raise UserError("\n".join(problems))


def _schema_of(cfg: DictConfig, section: str) -> type | None:
    """The dataclass behind a section; None for a user's own section without one."""
    node_type = OmegaConf.get_type(cfg, section)
    if isinstance(node_type, type) and hasattr(node_type, "__dataclass_fields__"):
        return node_type
    return {"loss": LossConfig, "training": TrainingConfig, "tracking": TrackingConfig}.get(section)


def _problems(schema: type, values: Any, section: str) -> list[str]:
    try:
        TypeAdapter(schema).validate_python(values)
    except ValidationError as error:
        return [_sentence(item, section) for item in error.errors()]
    return []


def _sentence(item: Any, section: str) -> str:
    key = ".".join([section, *(str(part) for part in item["loc"])])
    reason = str(item["msg"]).removeprefix("Value error, ")
    reason = reason.replace("Input should be", "must be").replace("Field required", "is missing")
    return f"{key}={item['input']}: {reason}"


def _cross_problems(plain: dict[str, Any]) -> list[str]:
    """What no single section can know."""
    training = plain["training"]
    if plain["compare"] and not plain["tracking"]["enabled"]:
        return ["compare=True: compares the runs of the store; leave out tracking=none with it"]
    if training["tensorboard"] and importlib.util.find_spec("tensorboard") is None:
        return [
            "training.tensorboard=True: TensorBoard is not installed; "
            "python -m pip install 'tensorboard>=2.20'"
        ]
    if training["jit_compile"] and training["deterministic"]:
        return [
            "training.jit_compile=True: XLA cannot be held to the same bits; "
            "set training.deterministic=false with it"
        ]
    metrics = plain["metric"].get("metrics") if isinstance(plain["metric"], dict) else None
    if not isinstance(metrics, dict) or not metrics:
        return ["metric.metrics: must hold at least one metric, each with a _target_"]
    return [
        f"metric.metrics.{key}={node}: needs a _target_: the dotted path of a metric"
        for key, node in metrics.items()
        if not isinstance(node, dict) or "." not in str(node.get("_target_"))
    ]


def _first_line(error: Exception) -> str:
    key = getattr(error, "full_key", None)
    first = str(error).splitlines()[0]
    return f"{key}: {first}" if key else first
