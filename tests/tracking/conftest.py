"""MLflow stores, real ones."""

import pytest

from src.tracking.store import Store


@pytest.fixture(scope="session")
def own_tracking(tmp_path_factory):
    """The ``tracking`` node of a store that is no one else's."""
    root = str(tmp_path_factory.mktemp("own") / "mlruns")
    names = {"experiment": "own", "log_model": False, "plots": False}
    return {"enabled": True, "root": root, "uri": None, **names}


@pytest.fixture(scope="session")
def own_store(own_tracking):
    """That store, open."""
    return Store.open(own_tracking)


@pytest.fixture(scope="session")
def own_words(own_tracking):
    """Overrides of a short run into that store."""
    return (
        f"tracking.root={own_tracking['root']}",
        "tracking.experiment=own",
        "tracking.log_model=false",
        "tracking.plots=false",
        "data.n_samples=400",
        "data.minority_fraction=0.2",
        "training.epochs=3",
    )
