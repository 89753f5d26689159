"""Trainings in this process, each from a composed config."""

from collections.abc import Callable
from typing import Any

import keras
import pytest

from src.data.dataset import Dataset
from src.engine.build import load_dataset
from src.engine.fit import Trained, train
from src.engine.graph_cache import GraphCache
from src.engine.sampling import sampled

SMALL = (
    "data.n_samples=400",
    "data.minority_fraction=0.2",
    "training.epochs=2",
    "training.batch_size=32",
    "training.learning_rate=0.01",
    "training.progress=false",
    "training.threads=1",
)


@pytest.fixture(autouse=True)
def float32_again():
    """A test leaves the dtype policy as it found it."""
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(policy)


@pytest.fixture
def graphs() -> GraphCache:
    """A process that has trained nothing yet."""
    return GraphCache()


@pytest.fixture(scope="session")
def job(resolved) -> Callable[..., tuple[dict[str, Any], Dataset]]:
    """A config of some overrides and its data set; small data unless they name a source."""

    def made(*overrides: str) -> tuple[dict[str, Any], Dataset]:
        named = any(word.startswith("data=") for word in overrides)
        small = [word for word in SMALL if not (named and word.startswith("data."))]
        config = resolved(*small, *overrides)
        return config, sampled(load_dataset(config["data"]), config)

    return made


@pytest.fixture(scope="session")
def fitted(job) -> Callable[..., Trained]:
    """Trains the job of some overrides."""
    return lambda *overrides: train(*job(*overrides), "test")
