"""A table, a loss and a layer of one's own, and a run trained with them: a model to use."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

ROWS = 600
LAYERS = '''
"""A layer of one's own, not registered with Keras."""
import keras


class Doubled(keras.layers.Layer):
    """Twice its input."""

    def call(self, inputs):
        return 2 * inputs
'''
MODULE = '''
"""A loss and a network of one's own."""
import keras

import own_layers
from own_helpers.factors import STEEPNESS


class Steep(keras.losses.SparseCategoricalCrossentropy):
    """Cross-entropy times three."""

    def __init__(self, name="steep", **rest):
        super().__init__(name=name, **rest | {"from_logits": True})

    def call(self, y_true, y_pred):
        return STEEPNESS * super().call(y_true, y_pred)


def network(input_shape, num_classes, hidden, dropout, clip_norm):
    inputs = keras.Input(input_shape)
    x = own_layers.Doubled()(keras.layers.Dense(hidden[0], activation="relu")(inputs))
    return keras.Model(inputs, keras.layers.Dense(num_classes)(x))
'''


@dataclass(frozen=True)
class InUse:
    """A store with one run, whose model was trained on a table.

    Attributes:
        root: folder of the store.
        run_id: of the run.
        output: the run's output folder.
        folder: the logged model's.
        logged: its files as they were logged, before one is imported from there.
        file: the table.
        raw: what it holds.
    """

    root: Path
    run_id: str
    output: Path
    folder: Path
    logged: tuple[Path, ...]
    file: Path
    raw: pd.DataFrame

    @property
    def client(self):
        return MlflowClient(f"sqlite:///{self.root}/mlflow.db")


def raw_table():
    """Whole numbers, decimals with gaps, text with gaps, truth values, mixed categories."""
    rng = np.random.default_rng(0)
    ill = rng.random(ROWS) < 0.2
    return pd.DataFrame(
        {
            "patient": [f"p{i}" for i in range(ROWS)],
            "age": rng.integers(18, 80, ROWS) + 10 * ill,
            "dose": np.where(rng.random(ROWS) < 0.1, np.nan, rng.normal(5, 2, ROWS) + 2 * ill),
            "ward": rng.choice(["north", "south", None], ROWS),
            "smoker": rng.random(ROWS) < 0.5,
            "grade": rng.choice(["1", "2", "3+"], ROWS),
            "outcome": np.where(ill, "ill", "well"),
        }
    )


def trained(base, run_here):
    """Trains once; the modules of one's own are gone from the path afterwards."""
    file = base / "patients.csv"
    frame = raw_table()
    frame.to_csv(file, index=False)
    own = base / "own"
    own.mkdir()
    (own / "own_net.py").write_text(MODULE)
    (own / "own_layers.py").write_text(LAYERS)
    (own / "own_helpers").mkdir()
    (own / "own_helpers" / "factors.py").write_text("STEEPNESS = 3\n")
    root, output = base / "mlruns", base / "output"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(own)
        run_here(
            output,
            "data=table",
            f"data.path={file}",
            "data.label=outcome",
            "data.drop=[patient]",
            "loss.fn._target_=own_net.Steep",
            "~loss.fn.from_logits",
            "model._target_=own_net.network",
            "model.hidden=[8]",
            "training.epochs=4",
            "training.learning_rate=0.02",
            "tracking.plots=false",
            f"tracking.root={root}",
        )
    shutil.rmtree(own)
    for name in ("own_net", "own_layers", "own_helpers", "own_helpers.factors"):
        sys.modules.pop(name, None)
    client = MlflowClient(f"sqlite:///{root}/mlflow.db")
    (experiment,) = client.search_experiments(filter_string="name = 'imbalance-lab'")
    (run,) = client.search_runs([experiment.experiment_id])
    (model,) = run.outputs.model_outputs
    place = Path(client.get_logged_model(model.model_id).artifact_location.removeprefix("file://"))
    logged = tuple(path for path in place.rglob("*") if path.is_file())
    return InUse(root, run.info.run_id, output, place, logged, file, frame)
