"""Registers the schemas with Hydra, as ``schema_<group>_<name>``, for the files in ``conf/``.

They belong to no group, so that they are no choices of one.
"""

from functools import cache
from typing import Any

from hydra.core.config_store import ConfigNode, ConfigStore
from omegaconf import OmegaConf

from src.config import data_schema, schema


@cache
def _as_config(kind: type) -> Any:
    return OmegaConf.structured(kind)


class SchemaNode(ConfigNode):
    """A schema that becomes a config when Hydra asks for it: a command needs six of twenty.

    Args:
        name: of its file, as Hydra looks for it.
        kind: the dataclass.
    """

    def __init__(self, name: str, kind: type) -> None:
        self.name, self.kind = name, kind
        self.group = self.package = self.provider = None

    def __getattr__(self, name: str) -> Any:
        """The config, which Hydra copies before it is changed."""
        if name != "node":
            raise AttributeError(name)
        return _as_config(self.kind)


def register() -> None:
    """Makes every schema known to Hydra; called once, before a config is composed."""
    groups: dict[str, dict[str, type]] = {
        "loss": {
            "base": schema.LossConfig,
            "class_balanced_focal": schema.ClassBalancedFocalConfig,
            "logit_adjusted": schema.LogitAdjustedConfig,
            "ldam": schema.LDAMConfig,
            "asymmetric": schema.AsymmetricConfig,
        },
        "model": {
            "mlp": schema.MLPConfig,
            "cosine": schema.CosineConfig,
            "cnn": schema.CNNConfig,
        },
        "metric": {"base": schema.MetricConfig},
        "data": data_schema.SOURCES,
        "tracking": {"base": schema.TrackingConfig},
    }
    named = {
        f"schema_{group}_{name}": kind
        for group, kinds in groups.items()
        for name, kind in kinds.items()
    }
    for name, kind in (named | {"config_schema": schema.Config}).items():
        file = f"{name}.yaml"
        ConfigStore.instance().repo[file] = SchemaNode(file, kind)
