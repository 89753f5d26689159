"""Saved models load in a fresh process, by registration or by name, and train on to the bit."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from src import components as c

COUNTS = [240, 45, 15]
CASES = {
    "focal": lambda: (
        c.mlp((6,), 3, dropout=0.3, l2=1e-3, clip_norm=0.5),
        c.SparseCategoricalFocalLoss(alpha=[0.2, 0.3, 0.5]),
        c.MacroF1(3),
    ),
    "function": lambda: (c.mlp((6,), 3), c.sparse_categorical_focal_loss, c.batch_macro_f1),
    "cosine": lambda: (
        c.cosine((6,), 3, clip_norm=0.5),
        c.DeferredReweighting(c.LDAMLoss(COUNTS), COUNTS),
        c.ImbalanceReport(3, [2]),
    ),
    "cnn": lambda: (
        c.cnn((3, 2, 1), 3, filters=(4,), augmentation={"flip": "horizontal", "shift": 0.4}),
        c.ClassBalancedFocalLoss(COUNTS), c.MacroF1(3),
    ),
    "binary": lambda: (binary_network(), c.BinaryFocalLoss(), c.MacroF1(2, from_logits=True)),
}  # fmt: skip
# The conformance kit saves and loads every loss, metric and layer by itself.
# Run in a process of its own: what a file needs beside itself is an import or a dictionary.
LOADER = """
import sys
import keras, numpy as np, tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
tf.config.experimental.enable_op_determinism()
tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
keras.utils.set_random_seed(0)
sys.path.insert(0, sys.argv[1])
from src.components import ClippedModel, custom_objects

folder, names = sys.argv[2], sys.argv[3:]
data = np.load(f"{folder}/data.npz")
registered = keras.saving.get_custom_objects()
results = {}
for how in ("registered", "named"):
    arguments = {}
    if how == "named":
        registered.clear()
        try:
            keras.saving.load_model(f"{folder}/{names[0]}.keras")
        except TypeError as error:
            assert "Could not locate class" in str(error), error
        else:
            raise AssertionError("loaded without registration and without names")
        arguments = {"custom_objects": custom_objects(), "safe_mode": True}
    for name in names:
        x = data[f"x_{name}"]
        model = keras.saving.load_model(f"{folder}/{name}.keras", **arguments)
        assert type(model) is ClippedModel, type(model)
        results[f"{how}_{name}_before"] = model(x, training=False)
        results[f"{how}_{name}_optimizer"] = np.array(model.optimizer.iterations)
        if how == "named":
            continue
        history = model.fit(
            x, data[f"y_{name}"], epochs=2, batch_size=50, shuffle=False, verbose=0
        ).history
        results[f"{name}_after"] = model(x, training=False)
        for key, values in history.items():
            results[f"{name}_history_{key}"] = np.array(values)

np.savez(f"{folder}/results.npz", **results)
"""


def binary_network():
    inputs = keras.Input((6,))
    return c.ClippedModel(inputs, keras.layers.Dense(1)(inputs), clip_norm=0.1)


def train(model, x, y):
    return model.fit(x, y, epochs=2, batch_size=50, shuffle=False, verbose=0).history


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Every case trained, saved, and trained on here without loading."""
    folder = tmp_path_factory.mktemp("saved")
    rng = np.random.default_rng(0)
    y = rng.choice(3, 300, p=np.array(COUNTS) / 300)
    x = rng.normal(size=(300, 6)).astype("float32") + np.eye(3, 6, dtype="float32")[y] * 2
    data, expected = {}, {}
    tf.config.experimental.enable_op_determinism()  # and as it is in the fresh process
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    for name, case in CASES.items():
        keras.utils.set_random_seed(1)
        model, loss, metric = case()
        data[f"x_{name}"] = x.reshape(-1, *model.input_shape[1:])
        data[f"y_{name}"] = np.minimum(y, model.output_shape[-1])
        arrays = data[f"x_{name}"], data[f"y_{name}"]
        model.compile(keras.optimizers.Adam(0.01), loss, metrics=[metric])
        train(model, *arrays)
        model.save(folder / f"{name}.keras")
        before = np.asarray(model(arrays[0], training=False))
        history = train(model, *arrays)
        expected[name] = before, history, np.asarray(model(arrays[0], training=False))
    np.savez(folder / "data.npz", **data)
    return folder, expected


@pytest.fixture(scope="module")
def loaded(trained):
    """The same files loaded and trained on in one fresh process."""
    folder, _ = trained
    root = Path(c.__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", LOADER, str(root), str(folder), *CASES],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-4000:]
    return np.load(folder / "results.npz")


@pytest.mark.parametrize("name", CASES)
def test_a_fresh_process_predicts_the_same_and_trains_on_as_if_never_saved(trained, loaded, name):
    before, history, after = trained[1][name]
    for how in ("registered", "named"):
        np.testing.assert_array_equal(loaded[f"{how}_{name}_before"], before)
        assert loaded[f"{how}_{name}_optimizer"] == 12
    np.testing.assert_array_equal(loaded[f"{name}_after"], after)
    assert not np.array_equal(before, after)
    assert {"loss", "grad_norm"} < set(history)
    for key, values in history.items():
        assert loaded[f"{name}_history_{key}"].tolist() == values, key


def test_loading_keeps_what_the_components_were_made_with(trained):
    model = keras.saving.load_model(trained[0] / "focal.keras")
    assert model.clip_norm == 0.5
    assert model.loss.alpha == [0.2, 0.3, 0.5]
    assert model.loss.from_logits is True
    assert keras.saving.load_model(trained[0] / "cosine.keras").loss.class_counts == COUNTS


def test_every_public_component_is_registered_and_among_the_custom_objects():
    registered = keras.saving.get_custom_objects()
    networks = {"cnn", "cosine", "mlp", "pretrained", "resnet", "augment"}
    functions = networks | {"custom_objects", "l2_normalize"}
    public = set(c.__all__) - functions - {"ConfusionMetric", "ReweightingSchedule"}
    assert {name for name in c.custom_objects() if ">" not in name} == public
    for name in public:
        component = getattr(c, name)
        assert registered[f"imbalance>{name}"] is component
        assert c.custom_objects()[f"imbalance>{name}"] is component
