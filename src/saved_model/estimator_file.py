"""A fitted estimator in a file of skops: without pickle, and of the types that are named here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.errors import UserError, naming

SUFFIX = ".skops"
FILES = ("data/model.skops", "model.skops")
"""Paths of the estimator in the folder of an MLflow model, or of what becomes one."""
TYPES = (
    "imblearn.ensemble._easy_ensemble.EasyEnsembleClassifier",
    "imblearn.ensemble._forest.BalancedRandomForestClassifier",
    "imblearn.ensemble._weight_boosting.RUSBoostClassifier",
    "imblearn.pipeline.Pipeline",
    "imblearn.under_sampling._prototype_selection._random_under_sampler.RandomUnderSampler",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
)
"""Types that a file may hold beside those that skops trusts by itself."""
LEAST = np.finfo(np.float64).eps
"""The probability that 0 counts as, as when its scores were measured."""


def log_probabilities(estimator: Any, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """The scores of n rows, as a network's, shape (n, K); an image is the row of its pixels."""
    rows = features.reshape(len(features), -1).astype(np.float64)
    found: NDArray[np.float64] = np.log(np.maximum(estimator.predict_proba(rows), LEAST))
    return found


def estimator_file(folder: Path) -> Path | None:
    """The estimator's file in a folder; None where the folder has none."""
    return next((folder / name for name in FILES if (folder / name).is_file()), None)


def save_estimator(file: Path, estimator: Any) -> None:
    """Writes a fitted estimator."""
    import skops.io

    skops.io.dump(estimator, file)


def load_estimator(file: Path) -> Any:
    """Reads one. Trees are walked without a look at where they lead: the file has to be trusted.

    Raises:
        UserError: where the file is damaged, or holds another type.
    """
    import skops.io

    with naming(file, "no estimator can be loaded from it"):
        others = set(skops.io.get_untrusted_types(file=file)) - {*TYPES}
        if others:
            raise UserError(f"{file}: holds {', '.join(sorted(others))}, which is not loaded")
        return skops.io.load(file, trusted=list(TYPES))
