"""A ``.keras`` file is what Keras alone would write, whatever Keras has looked up before."""

import io
import zipfile

import h5py
import keras
import numpy as np
import pytest
from keras.src.saving import saving_lib

from src.runs import model_file


@pytest.fixture
def model():
    """Trained a little, so that the optimizer has variables too."""
    layers = [keras.layers.Dense(3, activation="relu"), keras.layers.Dropout(0.1)]
    made = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(2)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    made.compile("adam", loss, metrics=["accuracy"])
    x = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
    made.fit(x, np.arange(8) % 2, verbose=0)
    return made


def content(file):
    """The config, and every array by its place."""
    with zipfile.ZipFile(file) as archive:
        config = archive.read("config.json")
        weights = io.BytesIO(archive.read("model.weights.h5"))
    arrays = {}
    with h5py.File(weights) as stored:
        stored.visititems(
            lambda name, item: (
                arrays.__setitem__(name, item[()]) if isinstance(item, h5py.Dataset) else None
            )
        )
    return config, arrays


def test_the_file_is_the_one_that_keras_writes(model, tmp_path):
    model_file.save(model, tmp_path / "own.keras")
    model_file.save(model, tmp_path / "again.keras")
    remembering = saving_lib.get_attr_skipset
    saving_lib.get_attr_skipset = remembering.__wrapped__
    try:
        model.save(tmp_path / "plain.keras")
    finally:
        saving_lib.get_attr_skipset = remembering
    config, arrays = content(tmp_path / "plain.keras")
    assert any("optimizer" in name for name in arrays)
    for name in ("own", "again"):
        its_config, its_arrays = content(tmp_path / f"{name}.keras")
        assert its_config == config
        assert its_arrays.keys() == arrays.keys()
        for place, array in arrays.items():
            np.testing.assert_array_equal(its_arrays[place], array)


def test_keras_looks_once_for_the_names_that_it_leaves_out(model, tmp_path):
    model_file.save(model, tmp_path / "first.keras")
    looked = saving_lib.get_attr_skipset.cache_info().misses
    keras.utils.clear_session(free_memory=False)
    model_file.save(model, tmp_path / "second.keras")
    assert looked == saving_lib.get_attr_skipset.cache_info().misses > 0


def test_where_keras_has_no_such_function_nothing_is_done(monkeypatch):
    monkeypatch.delattr(saving_lib, "get_attr_skipset")
    model_file._look_up_once.__wrapped__()
    assert not hasattr(saving_lib, "get_attr_skipset")
