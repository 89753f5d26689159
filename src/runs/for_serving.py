"""Writes what a saved model needs to be used: its facts, and the user's own code behind it."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from src.data.dataset import Dataset, decoded
from src.data.images.preprocessing import ImagePreprocessing
from src.data.tabular.columns import TablePreprocessing
from src.runs.identity import target_modules
from src.runs.recorded import record
from src.runs.source_closure import source_closure
from src.saved_model.facts import ServingFacts

LOADER = "src.saved_model.loader"
"""Loads a saved model."""
EXAMPLE_ROWS = 5


@cache
def travelling_modules() -> dict[str, Path]:
    """The project's modules that travel with every model: the loader, and all that it imports."""
    return source_closure([LOADER])


def write_for_serving(
    folder: Path,
    config: Mapping[str, Any],
    dataset: Dataset,
    metrics: Mapping[str, float],
    *,
    own_weights: tuple[str, ...],
) -> ServingFacts:
    """Writes ``serving.json``; copies the user's modules behind the config and all they import.

    Args:
        folder: the job's output folder.
        config: the resolved config.
        dataset: gives names and the preprocessing.
        metrics: hold ``decision_offset_<k>`` and ``prior_offset_<k>``.
        own_weights: decisions with weights of their own.
    """
    travels_anyway = travelling_modules()
    own = [name for name in target_modules(config) if name not in travels_anyway]
    code = folder / record.CODE
    shutil.rmtree(code, ignore_errors=True)
    for name, file in source_closure(own).items():
        if name not in travels_anyway:
            _copy_module(code, name, file)
    of_model = target_modules({"model": config["model"]})  # the loss is not needed to predict
    facts = replace(
        serving_facts(dataset, metrics),
        own_modules=tuple(name for name in own if name in of_model),
        tuned_weights="tuned" in own_weights,
        prior_weights="prior" in own_weights,
    )
    facts.save(folder)
    return facts


def serving_facts(dataset: Dataset, metrics: Mapping[str, float]) -> ServingFacts:
    """The facts of a model without modules or weights beside it.

    The metrics hold ``decision_offset_<k>`` and ``prior_offset_<k>`` for each class.
    """
    fitted, classes = dataset.preprocessing, range(dataset.num_classes)
    return ServingFacts(
        class_names=dataset.class_names,
        offsets=tuple(metrics[f"decision_offset_{k}"] for k in classes),
        prior_offsets=tuple(metrics[f"prior_offset_{k}"] for k in classes),
        input_shape=dataset.input_shape,
        feature_names=dataset.feature_names,
        table=fitted if isinstance(fitted, TablePreprocessing) else None,
        images=fitted if isinstance(fitted, ImagePreprocessing) else None,
    )


def save_example(folder: Path, dataset: Dataset) -> None:
    """Writes validation rows for a model of arrays; those of tables and pictures are made up."""
    if not isinstance(dataset.preprocessing, TablePreprocessing | ImagePreprocessing):
        np.save(folder / record.EXAMPLE, decoded(dataset.x_val[:EXAMPLE_ROWS]))


def _copy_module(code: Path, name: str, file: Path) -> None:
    """Copies a module to where its dotted name is imported from when ``code`` is on the path."""
    *packages, last = name.split(".")
    inside = (last, file.name) if file.name == "__init__.py" else (file.name,)
    target = code.joinpath(*packages, *inside)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)
