"""Registers the schemas with Hydra, as ``schema_<group>_<name>``, for the files in ``conf/``.

They belong to no group, so that they are no choices of one.
"""

from hydra.core.config_store import ConfigStore

from src.config import data_schema, image_schema, loss_schema, model_schema, schema
from src.config.estimator_schema import ESTIMATORS

SCHEMAS: dict[str, type] = {
    "config_schema": schema.Config,
    "schema_loss_base": loss_schema.LossConfig,
    "schema_loss_class_balanced_focal": loss_schema.ClassBalancedFocalConfig,
    "schema_loss_logit_adjusted": loss_schema.LogitAdjustedConfig,
    "schema_loss_ldam": loss_schema.LDAMConfig,
    "schema_loss_ldam_drw": loss_schema.LDAMDeferredConfig,
    "schema_loss_poly": loss_schema.PolyConfig,
    "schema_loss_gce": loss_schema.GeneralizedConfig,
    "schema_loss_label_smoothing": loss_schema.SmoothingConfig,
    "schema_loss_asymmetric": loss_schema.AsymmetricConfig,
    "schema_model_mlp": model_schema.MLPConfig,
    "schema_model_cosine": model_schema.CosineConfig,
    "schema_model_cnn": model_schema.CNNConfig,
    "schema_model_auto": model_schema.AutoModelConfig,
    "schema_model_resnet": model_schema.ResNetConfig,
    "schema_model_pretrained": model_schema.PretrainedConfig,
    "schema_metric_base": schema.MetricConfig,
    "schema_sampling_base": schema.SamplingConfig,
    "schema_sampling_balanced_batches": schema.BalancedBatchesConfig,
    "schema_sampling_imblearn": schema.SamplerConfig,
    "schema_sampling_smote": schema.SMOTEConfig,
    "schema_tracking_base": schema.TrackingConfig,
    "schema_data_simulated": data_schema.SimulatedConfig,
    "schema_data_classification": data_schema.ClassificationConfig,
    "schema_data_digits": data_schema.DigitsConfig,
    "schema_data_fashion_mnist": image_schema.FashionMNISTConfig,
    "schema_data_image_arrays": image_schema.ImageArraysConfig,
    "schema_data_image_folder": image_schema.ImageFolderConfig,
    "schema_data_table": data_schema.TableConfig,
    "schema_data_keel": data_schema.KeelConfig,
    "schema_data_openml": data_schema.OpenMLConfig,
    "schema_references": schema.ReferencesConfig,
    **{f"schema_estimator_{name}": kind for name, kind in ESTIMATORS.items()},
}


def register() -> None:
    """Makes every schema known to Hydra; called before a config is composed."""
    for name, kind in SCHEMAS.items():
        ConfigStore.instance().store(name, kind)
