"""Writes what a saved model needs to be used: its facts, and the code of one's own behind it."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from src.data.columns import TablePreprocessing
from src.data.dataset import Dataset
from src.runs import record
from src.runs.identity import own_modules
from src.saved_model.facts import ServingFacts


def write_for_serving(
    folder: Path, config: Mapping[str, Any], dataset: Dataset, metrics: Mapping[str, float]
) -> ServingFacts:
    """Writes ``serving.json``, and copies the modules of one's own that the config names.

    Args:
        folder: the job's output folder.
        config: the resolved config.
        dataset: gives names and the preprocessing.
        metrics: hold ``decision_offset_<k>``.

    Returns:
        The facts.
    """
    modules = own_modules(config)
    code = folder / record.CODE
    shutil.rmtree(code, ignore_errors=True)
    for name, file in modules.items():
        _copy_module(code, name, file)
    table = dataset.preprocessing
    facts = ServingFacts(
        class_names=dataset.class_names,
        offsets=tuple(metrics[f"decision_offset_{k}"] for k in range(dataset.num_classes)),
        input_shape=dataset.input_shape,
        feature_names=dataset.feature_names,
        table=table if isinstance(table, TablePreprocessing) else None,
        own_modules=tuple(modules),
    )
    facts.save(folder)
    return facts


def _copy_module(code: Path, name: str, file: Path) -> None:
    """Copies a module, and the ``__init__.py`` of each package that it lies in."""
    is_package = file.name == "__init__.py"
    target = code.joinpath(*name.split("."))
    target = target / file.name if is_package else target.with_suffix(".py")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)
    depth = name.count(".") + is_package
    for source, copied in zip(list(file.parents)[:depth], target.parents, strict=False):
        if (source / "__init__.py").is_file() and not (copied / "__init__.py").exists():
            shutil.copyfile(source / "__init__.py", copied / "__init__.py")
