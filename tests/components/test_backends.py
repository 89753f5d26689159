"""Losses, metrics and layers give on Keras's other backends what they give on TensorFlow."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from src.components import custom_objects
from tests.components.backend_values import FEATURES, values

JAX = pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="needs JAX: `make test-backends` installs it"
)
WAYS = {
    "numpy": {"KERAS_BACKEND": "numpy"},
    "jax": {"KERAS_BACKEND": "jax"},
    "jax with float64": {"KERAS_BACKEND": "jax", "JAX_ENABLE_X64": "1"},
}


@pytest.fixture(scope="module")
def here():
    return values()


@pytest.fixture(
    scope="module", params=[pytest.param(w, marks=[JAX] if "jax" in w else []) for w in WAYS]
)
def there(request, tmp_path_factory):
    """The backend, and what a process of its own gives on it."""
    file = tmp_path_factory.mktemp("backend") / "values.npz"
    done = subprocess.run(
        [sys.executable, "-m", "tests.components.backend_values", str(file)],
        cwd=Path(__file__).parents[2],
        env=os.environ | WAYS[request.param],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return request.param, file, dict(np.load(file))


def test_values_and_gradients_are_those_of_tensorflow(there, here):
    how, _, found = there
    of_training = {name for name in here if name.endswith(("_gradient", "_scheduled"))}
    left_out = of_training if how == "numpy" else set()
    # JAX as it comes has no float64: its counts are exact up to 2^24.
    left_out |= {"beyond_float32"} if how == "jax" else set()
    for name in here.keys() - left_out:
        np.testing.assert_allclose(found[name], here[name], rtol=2e-5, atol=1e-6, err_msg=name)


def test_counts_are_exact_as_far_as_the_backend_has_numbers_for_them(there):
    how, _, found = there
    assert found["f1_macro_counts"].sum() == pytest.approx(30)
    exact = 2**24 if how == "jax" else 2**24 + 1
    assert found["beyond_float32"].tolist() == [[exact, 1], [0, 1]]


@JAX
@pytest.mark.parametrize("there", [way for way in WAYS if "jax" in way], indirect=True)
def test_a_model_trained_and_saved_on_jax_predicts_the_same_on_tensorflow(there):
    _, file, found = there
    model = keras.saving.load_model(file.with_suffix(".keras"), custom_objects=custom_objects())
    np.testing.assert_allclose(model.predict(FEATURES), found["predictions"], rtol=1e-4, atol=1e-5)
