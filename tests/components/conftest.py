import keras
import numpy as np
import pytest


@pytest.fixture(autouse=True)
def clean_keras():
    """Each test starts from a seed and leaves the dtype policy as it found it."""
    policy = keras.config.dtype_policy()
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_dtype_policy(policy)


@pytest.fixture
def mixed_float16():
    keras.config.set_dtype_policy("mixed_float16")


@pytest.fixture(scope="session")
def blobs():
    """300 examples of 6 features in 3 classes, 80, 15 and 5 % of them."""
    rng = np.random.default_rng(3)
    y = rng.choice(3, size=300, p=[0.8, 0.15, 0.05]).astype("int32")
    x = rng.normal(size=(300, 6)).astype("float32")
    x[:, :3] += 1.5 * np.eye(3, dtype="float32")[y]
    return x, y
