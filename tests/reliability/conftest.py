"""Processes to kill, and trainings in this process."""

import keras
import pytest

from tests.reliability.children import Forks


@pytest.fixture(scope="session")
def forks():
    """Starts `train.py` in forks of a process that has TensorFlow loaded."""
    with Forks() as started:
        yield started


@pytest.fixture(autouse=True)
def float32_again():
    """A test leaves the dtype policy as it found it."""
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(policy)
