"""Two devices at once give what one gives: the same scores, weights within float tolerance."""

import csv
import json

import keras
import numpy as np
import pytest
from sklearn.metrics import f1_score

from src.components import custom_objects

WORDS = (
    "tracking=none",
    "loss=ldam_drw",  # whose weights, a variable, come in after two epochs
    "loss.defer=0.5",
    "data.n_samples=455",  # 273 rows in batches of 17: one is left for the last; 91 validate
    "data.minority_fraction=0.2",
    "training.batch_size=17",
    "training.epochs=4",
    "training.learning_rate=0.01",
    "model.clip_norm=0.2",
    "metric=imbalance",
)
MIRRORED = ("training.distribute=mirrored", "training.replicas=2")


@pytest.fixture(scope="module")
def both(train_forked, tmp_path_factory):
    """Folders of a run on two logical devices and of the same on one; what three devices say."""
    folder = tmp_path_factory.mktemp("devices")
    places = {name: folder / name for name in ("two", "one", "three")}
    for place in places.values():
        place.mkdir()
    commands = [
        ((*WORDS, *MIRRORED), places["two"]),
        (WORDS, places["one"]),
        ((*WORDS, *MIRRORED[:1], "training.replicas=3"), places["three"]),
    ]
    *fine, refused = train_forked(commands, folder)
    for outcome in fine:
        assert outcome.status == 0, outcome.err
    (two,), (one,) = (tuple(places[name].glob("outputs/*/*")) for name in ("two", "one"))
    return two, one, refused


def rows(folder):
    with (folder / "history.csv").open(newline="") as stream:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(stream)]


def test_every_score_of_every_epoch_is_that_of_one_device(both):
    two, one, _ = both
    assert len(rows(two)) == 4
    for shared, alone in zip(rows(two), rows(one), strict=True):
        assert set(shared) == set(alone)
        for name in set(shared) - {"time_ms"}:
            exact = "f1" in name or "recall" in name or "accuracy" in name
            assert shared[name] == pytest.approx(alone[name], rel=0 if exact else 1e-5), name


def test_the_macro_f1_is_scikit_learns_on_the_predictions(both):
    two, *_ = both
    final = json.loads((two / "run.json").read_text())
    best = rows(two)[final["best_epoch"] - 1]
    with np.load(two / "predictions.npz") as arrays:
        for split, logged in (("val", best["val_f1_macro"]), ("test", None)):
            y, said = arrays[f"y_{split}"], arrays[f"{split}_logits"].argmax(1)
            oracle = f1_score(y, said, average="macro")
            scored = final["metrics"]["test_f1_macro"] if logged is None else logged
            assert scored == pytest.approx(oracle, abs=1e-6)


def test_the_weights_are_those_of_one_device_within_float_tolerance(both):
    shared, alone = (
        keras.saving.load_model(folder / "model.keras", custom_objects(), compile=False)
        for folder in both[:2]
    )
    for a, b in zip(shared.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)


def test_the_gradients_were_clipped_so_the_comparison_means_something(both):
    for folder in both[:2]:
        assert all(row["clipped_fraction"] > 0.5 for row in rows(folder))


def test_how_a_run_is_distributed_is_part_of_its_identity(both):
    heads = [json.loads((folder / "run.json").read_text())["metadata"] for folder in both[:2]]
    assert heads[0]["identity"] != heads[1]["identity"]
    assert heads[0]["params"]["training.distribute"] == "mirrored"


def test_more_devices_than_there_are_is_one_clear_error(both):
    refused = both[2]
    assert refused.status == 2
    assert refused.err.splitlines()[-1].startswith("Error: training.replicas=3: ")
