"""Sizes by the data: the rule as it is written down, the same for every seed of a comparison."""

import numpy as np
import pandas as pd
import pytest
from joblib import cpu_count

from src.engine import sizing
from src.engine.build import load_dataset
from src.engine.sizing import sized
from src.errors import UserError
from src.runs.identity import run_identity, setting_identity

KEYS = ("model.hidden", "model.dropout", "training.epochs", "training.batch_size")
AUTO = tuple(f"{key}=auto" for key in KEYS)


@pytest.mark.parametrize(
    ("rows", "batch", "epochs"),
    [
        (10, 16, 60),
        (960, 16, 60),
        (3_200, 32, 60),
        (6_710, 64, 57),
        (30_000, 256, 51),
        (600_000, 1024, 10),
        (10**8, 1024, 10),
    ],
)
def test_batch_is_a_hundredth_of_the_rows_and_epochs_give_six_thousand_updates(rows, batch, epochs):
    assert sizing.batch_size(rows) == batch
    assert sizing.epochs(rows, batch) == epochs
    steps = -(-rows // batch)
    assert epochs in {10, 60} or abs(epochs * steps - 6000) <= steps / 2


@pytest.mark.parametrize(
    ("rows", "classes", "width"),
    [
        (100, 2, 32),
        (1_001, 8, 64),
        (50_001, 2, 128),
        (500, 100, 128),
        (500, 64, 64),
        (9, 999, 512),
    ],
)
def test_layers_widen_with_rows_and_with_classes(rows, classes, width):
    assert sizing.hidden(rows, classes) == [width, width]


def test_units_are_dropped_where_rows_are_few_for_the_columns():
    assert sizing.dropout(1000, 101) == 0.2
    assert sizing.dropout(1000, 100) == 0.0


@pytest.mark.parametrize("cores", ["", "3"])
def test_a_small_batch_takes_one_thread_and_a_large_one_the_cores_of_the_process(
    monkeypatch, cores
):
    monkeypatch.setenv(sizing.OWN_CORES, cores)
    assert sizing.threads(64 * 8 * 8) == 1
    assert sizing.threads(64 * 28 * 28) == (int(cores) if cores else cpu_count())


def test_only_what_is_auto_is_filled_in(resolved):
    config = resolved("model.hidden=[7]", "model.dropout=auto", "training.epochs=3")
    dataset = load_dataset(resolved("data.n_samples=200", "data.minority_fraction=0.3")["data"])
    filled = sized(config, dataset)
    assert filled["model"]["hidden"] == [7]
    assert filled["model"]["dropout"] == 0.0
    assert filled["training"]["threads"] == 1
    assert filled["training"] == {**config["training"], "threads": 1}
    assert config["model"]["dropout"] == "auto", "the config that was given stays as it is"


@pytest.mark.parametrize(
    ("side", "channels"),
    [
        (1, [16, 32]),
        (28, [16, 32]),
        (64, [16, 32, 64]),
        (65, [8, 16, 32]),
        (128, [8, 16, 32, 64]),
        (1000, [8, 16, 32, 64, 128]),
    ],
)
def test_convolutions_bring_an_image_down_to_about_seven_pixels(side, channels):
    assert sizing.filters(side) == channels


@pytest.mark.parametrize(
    ("words", "same"),
    [
        (("data.n_samples=200", "data.minority_fraction=0.3"), ("model=mlp", "model.hidden=auto")),
        (("data=digits",), ("model=cnn", "model.filters=[16,32]", "model.dense=64")),
    ],
    ids=["vectors", "images"],
)
def test_the_model_by_the_data_is_the_run_of_that_model(resolved, words, same):
    dataset = load_dataset(resolved(*words)["data"])
    chosen, typed = (
        sized(resolved(*words, *model, "training.epochs=auto"), dataset)
        for model in (["model=auto"], [*same, "model.dropout=auto"])
    )
    assert run_identity(chosen, dataset) == run_identity(typed, dataset)
    assert setting_identity(chosen) == setting_identity(typed)


@pytest.mark.parametrize(
    ("data", "size", "right"),
    [("simulated", "model.filters=[8]", "model.hidden"), ("digits", "model.hidden=[8]", "filters")],
)
def test_a_size_of_the_other_network_is_refused(resolved, data, size, right):
    config = resolved(f"data={data}", "model=auto", size)
    with pytest.raises(UserError, match=f"{size.partition('=')[0]}=.*{right}"):
        sized(config, load_dataset(config["data"]))


def test_an_identity_holds_the_numbers_and_they_are_those_of_every_seed(resolved, tmp_path):
    """Rows with a category that not every training split has, and a value that is missing once."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(300, 30)), columns=[f"x{i}" for i in range(30)])
    table["kind"] = [f"kind {i % 40 if i < 45 else 0}" for i in range(300)]
    table.iloc[0, 0] = np.nan
    table["label"] = rng.integers(0, 2, 300)
    table.to_csv(tmp_path / "t.csv", index=False)
    words = ("data=table", f"data.path={tmp_path / 't.csv'}", "data.label=label")
    settings, features = set(), set()
    for seed in range(4):
        config = resolved(*words, *AUTO, f"seed={seed}")
        dataset = load_dataset(config["data"])
        features.add(dataset.input_shape)
        filled = sized(config, dataset)
        settings.add(setting_identity(filled))
        by_hand = resolved(
            *words,
            f"seed={seed}",
            "model.hidden=[32,32]",
            "model.dropout=0.2",
            "training.epochs=60",
            "training.batch_size=16",
            "training.threads=1",
        )
        assert run_identity(filled, dataset) == run_identity(by_hand, dataset)
        assert run_identity(filled, dataset) != run_identity(config, dataset)
    assert len(features) > 1, "the seeds differ in features, and yet"
    assert len(settings) == 1


def test_splits_of_a_table_with_copies_of_rows_are_of_one_size(resolved, tmp_path):
    rng = np.random.default_rng(0)
    copies = np.repeat(np.arange(100), rng.integers(20, 60, size=100))
    rows = "\n".join(f"{row},{row % 2}" for row in copies)
    (tmp_path / "t.csv").write_text(f"x,label\n{rows}\n")
    words = ("data=table", f"data.path={tmp_path}/t.csv", *AUTO)
    found, sizes = [], set()
    for seed in range(0, 12, 2):
        config = resolved(*words, f"seed={seed}")
        dataset = load_dataset(config["data"])
        sizes.add(len(dataset.y_train))
        found.append(sized(config, dataset))
    assert len(sizes) > 1
    for one in found[1:]:
        assert one["model"] == found[0]["model"]
        assert one["training"]["epochs"] == found[0]["training"]["epochs"] < 60
