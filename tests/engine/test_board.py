"""TensorBoard logs: written on request, readable by TensorBoard, without a trace in the numbers."""

import importlib.util

import pytest
import tensorflow as tf

from src.config.check import check
from src.engine.callbacks import tensorboard_callbacks
from src.engine.fit import train
from src.errors import UserError
from tests.engine.by_fit import bits


def test_it_holds_the_epochs_and_changes_no_bit(job, fitted, tmp_path):
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    config, dataset = job("training.tensorboard=true")
    callbacks = tensorboard_callbacks(config["training"], tmp_path)
    logged, plain = train(config, dataset, "", callbacks), fitted()
    assert bits(logged) == bits(plain)
    events = accumulators.EventAccumulator(str(tmp_path / "tensorboard" / "validation"))
    events.Reload()
    recorded = events.Tensors("epoch_f1_macro")
    values = [float(tf.make_ndarray(event.tensor_proto)) for event in recorded]
    assert values == pytest.approx([row["val_f1_macro"] for row in plain.history], abs=1e-6)


def test_nothing_is_written_unasked(resolved, tmp_path):
    assert tensorboard_callbacks(resolved()["training"], tmp_path) == []


def test_without_tensorboard_the_error_names_the_command(composer, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="not installed; python -m pip install 'tensorboard>="):
        check(composer("training.tensorboard=true"))
