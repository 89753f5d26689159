"""Trainings in this process, each from a composed config."""

from collections.abc import Callable

import keras
import pytest

from src.training.build import load_dataset
from src.training.fit import Trained
from src.training.fit import train as fit

SMALL = (
    "data.n_samples=400",
    "data.minority_fraction=0.2",
    "training.epochs=3",
    "training.batch_size=32",
    "training.learning_rate=0.01",
    "training.progress=false",
)


@pytest.fixture(autouse=True)
def float32_again():
    """A test leaves the dtype policy as it found it."""
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(policy)


@pytest.fixture(scope="session")
def fitted(resolved) -> Callable[..., Trained]:
    """Trains the config of some overrides; small data unless they name a source."""

    def run(*overrides: str) -> Trained:
        named = any(word.startswith("data=") for word in overrides)
        small = [word for word in SMALL if not (named and word.startswith("data."))]
        config = resolved(*small, *overrides)
        return fit(config, load_dataset(config["data"]), "test")

    return run
