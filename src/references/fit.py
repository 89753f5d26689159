"""Fits one estimator on the training split, and scores it as a network is scored."""

import logging
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from src.data.dataset import Dataset, Features, Pixels, decoded
from src.errors import UserError
from src.evaluation.decision import prior_offsets
from src.evaluation.epoch_choice import EpochChoice
from src.evaluation.scores import average_precision, score_decisions
from src.references.estimators import build_estimator

LEAST = np.finfo(np.float64).eps
"""Stands for a probability of 0, which has no logarithm, as in scikit-learn's log loss."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fitted:
    """A fitted estimator and what it predicts.

    Attributes:
        estimator: as scikit-learn has it.
        logits: log-probabilities, float64, as ``val_logits`` of shape (n_val, K) and
            ``test_logits`` of shape (n_test, K).
        metrics: final ones, under the names that a network's have.
        confusion: counts on the test split, shape (K, K).
    """

    estimator: Any
    logits: dict[str, NDArray[np.float64]]
    metrics: dict[str, float]
    confusion: NDArray[np.int64]


def fit(config: Mapping[str, Any], dataset: Dataset) -> Fitted:
    """Fits on ``train``, tunes the decision on ``val``, and predicts ``test`` once.

    It computes in one thread, so that the bits are the same, alone or beside other jobs.

    Args:
        config: the resolved config; its ``estimator`` is not ``none``.
        dataset: the splits; images are flattened.

    Raises:
        UserError: where the estimator can't be fitted on these rows.
    """
    node, started = config["estimator"], time.perf_counter()
    estimator = build_estimator(node, config["training"]["seed"], dataset.class_counts)
    with threadpool_limits(1), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            estimator.fit(_rows(dataset.x_train), dataset.y_train)
        except ValueError as error:
            raise UserError(
                f"estimator={node['name']}: cannot be fitted on data {dataset.name}: {error} Right "
                "is another one, such as estimator=balanced_random_forest"
            ) from error
        fitted = time.perf_counter()
        val, test = (estimator.predict_proba(_rows(x)) for x in (dataset.x_val, dataset.x_test))
    for text in sorted({str(one.message).splitlines()[0] for one in warned}):
        log.warning("estimator=%s: %s", node["name"], text)
    seconds = {"seconds_fit": fitted - started, "seconds_predict": time.perf_counter() - fitted}
    logits = {"val_logits": logits_of(val), "test_logits": logits_of(test)}
    metrics, confusion = _score(dataset, **logits)
    ranked = average_precision(dataset.y_test, test)  # logarithms would tie what differs by a bit
    metrics |= {f"test_{name}": value for name, value in ranked.items()}
    mean = ranked["average_precision"]
    metrics |= {name: mean for name in metrics if name.endswith("_average_precision")}
    return Fitted(estimator, logits, metrics | seconds, confusion)


def logits_of(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """The logarithms of probabilities, which stand for the logits of a network, shape (n, K)."""
    found: NDArray[np.float64] = np.log(np.maximum(probabilities, LEAST, dtype=np.float64))
    return found


def _rows(x: Features | Pixels) -> NDArray[np.float64]:
    return decoded(x).reshape(len(x), -1).astype(np.float64)


def _score(
    dataset: Dataset, val_logits: NDArray[np.float64], test_logits: NDArray[np.float64]
) -> tuple[dict[str, float], NDArray[np.int64]]:
    """The metrics of a network but those of epochs; of each decision, cross-fitted too."""
    prior = prior_offsets(np.array(dataset.class_counts))
    logits = dict.fromkeys(("argmax", "tuned", "prior"), (val_logits, test_logits))
    found = score_decisions(dataset.y_val, dataset.y_test, logits, prior)
    choice = EpochChoice(dataset.y_val, prior)
    choice.add(0, val_logits)
    return found.values | choice.crossfit(), found.confusion
