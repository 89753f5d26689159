"""Predicts with a saved model: preprocessing, network, probabilities, decision."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from src.data.dataset import decoded
from src.data.errors import CellError, DataError
from src.data.rows_at_once import rows_at_once
from src.errors import UserError
from src.saved_model.decisions import DECISIONS, TUNED
from src.saved_model.estimator_file import (
    FILES,
    estimator_file,
    load_estimator,
    log_probabilities,
)
from src.saved_model.facts import CLASS, CODE, ServingFacts, probability_column, weights_file
from src.saved_model.network_file import load_network, load_weights, own_objects
from src.saved_model.pictures import pixels_of

MODEL_FILES = ("data/model.keras", "model.keras")
"""Paths of the network in the folder of an MLflow model, or of a run."""


class Predictor:
    """A saved model, loaded.

    Args:
        facts: what it needs beside its weights.
        network: a Keras model that gives logits, or a fitted estimator.
        source: what the model is called in errors.
        own: by decision that has weights of its own, the network with these.

    Raises:
        UserError: where a network gives no numbers for a row of zeros.
    """

    def __init__(
        self, facts: ServingFacts, network: Any, source: str, own: Mapping[str, Any] | None = None
    ) -> None:
        self.facts = facts
        self.network = network
        graphs = {decision: self._graph(one, source) for decision, one in (own or {}).items()}
        self._logits = dict.fromkeys(DECISIONS, self._graph(network, source)) | graphs

    def _graph(self, network: Any, source: str) -> Any:
        """The network as a function of features, once it is known to give numbers."""
        facts = self.facts
        is_estimator = not callable(network)
        graph = partial(log_probabilities, network) if is_estimator else _traced(network, facts)
        scores = _scores(graph, np.zeros((1, *facts.input_shape), np.float32))
        if scores.shape != (1, len(facts.class_names)):
            raise UserError(
                f"{source}: the network gives scores of shape {scores.shape[1:]} for "
                f"{len(facts.class_names)} classes"
            )
        if not np.isfinite(scores).all():
            raise UserError(
                f"{source}: the model gives NaN or infinite scores for a row of zeros, so no class "
                "can be read from it; train it again with a lower training.learning_rate, or with "
                "clipping (model.clip_norm=1)"
            )
        return graph

    @classmethod
    def load(cls, folder: Path) -> Predictor:
        """Loads the model of a folder, Keras's file in safe mode, an estimator's by skops.

        Modules of one's own that lie in the folder are imported: whoever calls this trusts them.

        Raises:
            UserError: where the folder holds no such model.
        """
        facts = ServingFacts.load(folder)
        estimator = estimator_file(folder)
        if estimator is not None:
            return cls(facts, load_estimator(estimator), str(folder))
        file = next((folder / name for name in MODEL_FILES if (folder / name).is_file()), None)
        if file is None:
            raise UserError(f"{folder}: holds no model ({' or '.join(MODEL_FILES + FILES)})")
        objects, own = own_objects(facts.own_modules, folder / CODE), {}
        for decision in facts.own_weights:
            own[decision] = load_network(file, objects)
            load_weights(own[decision], folder / weights_file(decision))
        return cls(facts, load_network(file, objects), str(folder), own)

    def features(self, rows: Any) -> NDArray[np.float32]:
        """Rows as the network takes them.

        Args:
            rows: a table with the columns trained on, or of pictures in the column `image` (bytes
                of a file, or base64 text); where the model was trained on pictures or arrays, an
                array (n, *input_shape) of pixels (uint8) or of features.

        Returns:
            float32, shape (n, *input_shape), all finite.

        Raises:
            DataError: where a column is missing, or the shape is another.
            CellError: for the first value that cannot be used.
        """
        if self.facts.table:
            if not isinstance(rows, pd.DataFrame):
                raise DataError("rows must come with the names of their columns")
            features = self.facts.table.transform(rows)
        elif self.facts.images and isinstance(rows, pd.DataFrame):
            return decoded(pixels_of(rows, self.facts.images))
        else:
            features = _array(rows, self.facts)
        if not np.isfinite(features).all():
            row, *index = np.argwhere(~np.isfinite(features))[0].tolist()
            names = self.facts.feature_names
            column = names[index[0]] if names else str(tuple(index))
            reason = "is missing, infinite, or too far from the training rows for float32"
            raise CellError(row, column, reason)
        return features

    def logits(self, features: NDArray[np.float32], decision: str = TUNED) -> NDArray[np.float64]:
        """The logits of the network that a decision is made from, shape (n, K), all finite.

        Raises:
            CellError: for the first row whose logits are not.
        """
        logits = _scores(self._logits[decision], features)
        finite = np.isfinite(logits).all(axis=1)
        if not finite.all():
            reason = "the model gives NaN or infinite scores for it, from which no class follows"
            raise CellError(int(finite.argmin()), None, reason)
        return logits

    def predict(self, rows: Any, decision: str = TUNED) -> pd.DataFrame:
        """The class of each row, and the probability of each class.

        Args:
            rows: as `features` takes them.
            decision: `tuned` adds the class offsets that were tuned on validation rows to the
                logits before the largest wins (of two classes: it moves the threshold); `argmax`
                takes the most probable class; `prior` takes the classes' shares of the training
                rows out of the probabilities first. Each has the weights of its own best epoch.

        Returns:
            `class` (text), and `probability_<class>` for each class, float64, summing to 1:
            softmax of the logits, before any offset.
        """
        offsets = np.asarray(self.facts.offsets_of(decision))
        logits = self.logits(self.features(rows), decision)
        chosen = (logits + offsets).argmax(axis=1)
        exp = np.exp(logits - logits.max(axis=1, keepdims=True))
        columns = (exp / exp.sum(axis=1, keepdims=True)).T
        names = self.facts.class_names
        probabilities = dict(zip(map(probability_column, names), columns, strict=True))
        return pd.DataFrame({CLASS: np.array(names, dtype=object)[chosen], **probabilities})


def _traced(network: Any, facts: ServingFacts) -> Any:
    """A Keras model as one graph."""
    import tensorflow as tf

    rows = tf.TensorSpec((None, *facts.input_shape), tf.float32)
    return tf.function(lambda features: network(features, training=False), input_signature=[rows])


def _scores(graph: Any, features: NDArray[np.float32]) -> NDArray[np.float64]:
    size = rows_at_once(features.shape[1:])  # as when the network's scores were measured
    starts = range(0, len(features) or 1, size)
    parts = [np.asarray(graph(features[start : start + size])) for start in starts]
    return np.concatenate(parts).astype(np.float64)


def _array(rows: Any, facts: ServingFacts) -> NDArray[np.float32]:
    if isinstance(rows, pd.DataFrame):
        rows = _ordered(rows, facts)
    try:
        with np.errstate(over="ignore"):
            features = np.asarray(decoded(np.asarray(rows)), np.float32)
    except (TypeError, ValueError) as error:
        raise DataError(f"rows must be numbers: {error}") from error
    if features.shape[1:] != facts.input_shape:
        wanted = ", ".join(map(str, ("n", *facts.input_shape)))
        raise DataError(f"rows have shape {features.shape}; the model takes ({wanted})")
    return features


def _ordered(rows: pd.DataFrame, facts: ServingFacts) -> pd.DataFrame:
    """The columns in the order of training, where they come by name."""
    names = facts.feature_names
    if names is None or not all(isinstance(name, str) for name in rows.columns):
        return rows
    absent = [name for name in names if name not in rows.columns]
    if absent and any(name in rows.columns for name in names):
        raise DataError(f"columns {', '.join(map(repr, absent))} are missing")
    return rows if absent else rows[list(names)]
