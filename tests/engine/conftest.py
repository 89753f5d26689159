"""Trainings in this process, each from a composed config."""

from collections.abc import Callable
from typing import Any

import keras
import pytest

from src.data.dataset import Dataset
from src.engine.build import load_dataset
from src.engine.fit import Trained
from src.engine.fit import train as fit

SMALL = (
    "data.n_samples=400",
    "data.minority_fraction=0.2",
    "training.epochs=3",
    "training.batch_size=32",
    "training.learning_rate=0.01",
    "training.progress=false",
)
TINY = (
    "data.n_samples=300",
    "data.minority_fraction=0.2",
    "training.epochs=2",
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


@pytest.fixture
def job(resolved) -> Callable[..., tuple[dict[str, Any], Dataset]]:
    """A config of some overrides and its data set; two epochs, small data unless it is digits."""

    def made(*overrides: str) -> tuple[dict[str, Any], Dataset]:
        digits = "data=digits" in overrides
        small = [word for word in TINY if not (digits and word.startswith("data."))]
        config = resolved(*small, *overrides)
        return config, load_dataset(config["data"])

    return made
