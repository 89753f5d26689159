"""Trainings in this process."""

import keras
import pytest


@pytest.fixture(autouse=True)
def float32_again():
    """A test leaves the dtype policy as it found it."""
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(policy)
