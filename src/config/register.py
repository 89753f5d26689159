"""Registers the schemas with Hydra, as ``schema_<group>_<name>``, for the files in ``conf/``.

They belong to no group, so that they are no choices of one.
"""

from hydra.core.config_store import ConfigStore

from src.config import data_schema, schema


def register() -> None:
    """Makes every schema known to Hydra; called once, before a config is composed."""
    store = ConfigStore.instance()
    store.store(name="config_schema", node=schema.Config)
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
    for group, nodes in groups.items():
        for name, node in nodes.items():
            store.store(name=f"schema_{group}_{name}", node=node)
