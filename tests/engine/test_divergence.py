"""A training that diverges has no result, whatever trains it, and says what to try."""

import json

import keras
import numpy as np
import pytest
from mlflow.tracking import MlflowClient

from src.engine.callbacks import StopWhereNotFinite
from src.engine.epoch_logger import EpochLogger
from src.engine.fit import train
from src.errors import TrainingDivergedError
from tests.engine.by_fit import SeesBatches


class NanAfterAWhile(keras.callbacks.Callback):
    """Spoils a weight at the end of the second epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            weight = self.model.trainable_weights[0]
            weight.assign(weight * np.nan)


@pytest.mark.parametrize("callbacks", [[], [SeesBatches()]], ids=["shared graph", "fit"])
def test_it_ends_at_the_first_epoch_that_is_not_finite(job, callbacks):
    logger = EpochLogger()
    said = r"diverged: .* is nan after epoch 2 of 2.*learning_rate \(0.01 now\).*from_logits"
    with pytest.raises(TrainingDivergedError, match=said):
        train(*job(), "", [*callbacks, NanAfterAWhile()], logger=logger)
    assert [row["epoch"] for row in logger.rows] == [1], "the epochs before are kept"


def test_a_weight_or_a_prediction_that_is_not_finite_is_enough(job):
    check = StopWhereNotFinite({"epochs": 3, "learning_rate": 0.1})
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    check.set_model(model)
    check.on_epoch_end(0, {"loss": 1.0, "val_loss": 2.0})
    model.layers[0].bias.assign([np.inf])
    with pytest.raises(TrainingDivergedError, match="bias is not finite after epoch 1 of 3"):
        check.on_epoch_end(0, {"loss": 1.0, "val_loss": 2.0})
    with pytest.raises(TrainingDivergedError, match="prediction is not finite after epoch 2"):
        check.check_predictions(2, np.zeros((1, 2)), np.array([[0, np.nan]]))


@pytest.fixture(scope="module")
def diverged(train_forked, tmp_path_factory):
    """A sweep of which one job diverges, and that job alone by fit and in a shared graph."""
    folder = tmp_path_factory.mktemp("diverged")
    small = ("data.n_samples=300", "data.minority_fraction=0.2", "training.epochs=4")
    alone = (*small, "training.learning_rate=1e30", "tracking=none")
    words = [
        ("-m", *small, "training.learning_rate=1e30,0.01", "tracking.plots=false"),
        alone,
        (*alone, "training.jit_compile=true", "training.deterministic=false"),
    ]
    places = [folder / str(number) for number in range(len(words))]
    for place in places:
        place.mkdir()
    return places, train_forked(list(zip(words, places, strict=True)), folder)


def test_the_command_ends_with_status_2_and_one_message(diverged):
    for outcome in diverged[1][1:]:
        assert outcome.status == 2
        assert "Traceback" not in outcome.err
        *_, line = outcome.err.strip().splitlines()  # the compiler has lines of its own
        assert line.startswith("Error: training diverged: ")
        assert "after epoch 1 of 4" in line


def test_it_leaves_no_result_and_the_other_jobs_of_a_sweep_go_on(diverged):
    places, outcomes = diverged
    for place in places[1:]:
        assert not list(place.rglob("predictions.npz"))
    (finished,) = places[0].glob("multirun/*/*/*/run.json")
    config = (finished.parent / "config.yaml").read_text()
    assert "learning_rate: 0.01" in config
    assert np.isfinite(list(json.loads(finished.read_text())["metrics"].values())).all()
    assert outcomes[0].status == 2
    assert "training diverged" in outcomes[0].err
    client = MlflowClient(f"sqlite:///{places[0]}/mlruns/mlflow.db")
    (experiment,) = client.search_experiments(filter_string="name = 'imbalance-lab'")
    runs = client.search_runs([experiment.experiment_id])
    statuses = [run.info.status for run in runs if "mlflow.parentRunId" in run.data.tags]
    assert sorted(statuses) == ["FAILED", "FINISHED"]
