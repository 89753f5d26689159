"""Samplers against imbalanced-learn by hand; the training split alone changes, by no other row."""

import dataclasses
from functools import cache

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC, RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler
from threadpoolctl import threadpool_limits

from src.data.dataset import SPLITS, Dataset
from src.data.table import table
from src.engine.batches import epoch_order
from src.engine.build import data_arguments, load_dataset
from src.engine.sampling import CATEGORIES, sampled
from src.errors import UserError
from src.evaluation.decision import prior_offsets

BY_HAND = {
    "random_over": RandomOverSampler,
    "random_under": RandomUnderSampler,
    "smote": SMOTE,
}
SMALL = ("data.n_samples=300", "data.minority_fraction=0.15")
SEED = 3


@pytest.fixture(scope="module")
def numbers(resolved):
    return load_dataset(resolved(*SMALL)["data"])


@pytest.fixture(scope="module")
def digits(resolved):
    return load_dataset(resolved("data=digits")["data"])


@pytest.fixture(scope="module")
def frame():
    """A table of numbers, one of them with gaps, and text."""
    rng = np.random.default_rng(0)
    rows = 240
    age = rng.normal(40, 10, rows)
    age[rng.random(rows) < 0.2] = np.nan
    return pd.DataFrame(
        {
            "age": age,
            "city": rng.choice(["Oslo", "Rome", "Lima"], rows),
            "income": rng.lognormal(8, 1, rows),
            "sex": rng.choice(["f", "m"], rows),
            "y": np.where(np.arange(rows) % 6 == 0, "rare", "usual"),
        }
    )


@pytest.fixture(scope="module")
def mixed(frame, tmp_path_factory):
    file = tmp_path_factory.mktemp("mixed") / "mixed.csv"
    frame.to_csv(file, index=False)
    return table(str(file), "y", seed=1)


@pytest.fixture(scope="module")
def texts(frame, tmp_path_factory):
    file = tmp_path_factory.mktemp("texts") / "texts.csv"
    frame[["city", "sex", "y"]].to_csv(file, index=False)
    return table(str(file), "y", seed=1, duplicates="keep")


@pytest.fixture(scope="module")
def node(resolved):
    """The part of a config that sampling looks at, by the words typed."""

    @cache
    def of(*words):
        config = resolved(*words, f"seed={SEED}")
        return {"sampling": config["sampling"], "training": config["training"]}

    return of


def bytes_of(dataset, splits=SPLITS):
    return [getattr(dataset, f"{part}_{split}").tobytes() for split in splits for part in "xy"]


# --- against imbalanced-learn --------------------------------------------------------------------
@pytest.mark.parametrize("name", BY_HAND)
def test_rows_are_those_of_imbalanced_learn_by_hand(numbers, node, name):
    found = sampled(numbers, node(f"sampling={name}"))
    by_hand = BY_HAND[name](random_state=SEED).fit_resample(numbers.x_train, numbers.y_train)
    assert bytes_of(found, ["train"]) == [array.tobytes() for array in by_hand]
    assert len(set(found.class_counts)) == 1


def test_ratio_and_neighbours_are_imbalanced_learns(numbers, node):
    words = ("sampling=smote", "sampling.sampling_strategy=0.5", "sampling.k_neighbors=2")
    sampler = SMOTE(sampling_strategy=0.5, k_neighbors=2, random_state=SEED)
    x, _ = sampler.fit_resample(numbers.x_train, numbers.y_train)
    assert sampled(numbers, node(*words)).x_train.tobytes() == x.tobytes()


def test_smotenc_draws_what_it_draws_on_a_frame_with_columns_of_text(mixed, frame, node):
    """By hand: scikit-learn's scale for numbers, text as it stands, a gap as text too."""
    found = sampled(mixed, node("sampling=smotenc"))
    names, rows = list(mixed.feature_names), mixed.x_train
    assert names[:3] == ["age", "income", "age missing"]
    one_hot = {"city": ["Lima", "Oslo", "Rome"], "sex": ["f", "m"]}
    by_hand = pd.DataFrame(rows[:, :3], columns=names[:3], dtype=object)
    for column, values in one_hot.items():
        picked = rows[:, [names.index(f"{column}={value}") for value in values]]
        by_hand[column] = np.array(values, object)[picked.argmax(axis=1)]
    sampler = SMOTENC(["age missing", "city", "sex"], random_state=SEED)
    x, y = sampler.fit_resample(by_hand, mixed.y_train)
    assert found.y_train.tobytes() == np.asarray(y).tobytes()
    made = found.x_train
    np.testing.assert_allclose(made[:, :3], x[names[:3]].to_numpy(np.float64), atol=1e-5)
    for column, values in one_hot.items():
        block = made[:, [names.index(f"{column}={value}") for value in values]]
        assert set(np.unique(block)) == {0, 1}
        assert [values[k] for k in block.argmax(axis=1)] == list(x[column])
    assert made[: len(rows)].tobytes() == rows.tobytes(), "columns of text came back as they were"
    assert len(made) > len(rows)


def test_smote_takes_the_form_that_the_columns_ask_for(mixed, texts, node):
    by_name = {name: sampled(mixed, node(f"sampling={name}")) for name in ("smote", "smotenc")}
    assert bytes_of(by_name["smote"]) == bytes_of(by_name["smotenc"])
    one_hot = np.split(texts.x_train, [3], axis=1)
    codes = np.column_stack([block.argmax(axis=1) for block in one_hot])
    x, y = SMOTEN(random_state=SEED).fit_resample(codes, texts.y_train)
    found = sampled(texts, node("sampling=smote"))
    by_hand = np.hstack([np.eye(3)[x[:, 0]], np.eye(2)[x[:, 1]]]).astype(np.float32)
    assert bytes_of(found, ["train"]) == [by_hand.tobytes(), np.asarray(y).tobytes()]


def test_a_sampler_that_knows_no_categories_is_not_let_between_them(mixed, node):
    config = node("sampling=smote")
    sampling = {key: value for key, value in config["sampling"].items() if key != CATEGORIES}
    with pytest.raises(UserError, match="would make rows between categories of 'city', 'sex'; rig"):
        sampled(mixed, config | {"sampling": sampling | {"name": "mine"}})


def test_rows_do_not_hang_on_the_number_of_threads(node):
    """Whole numbers have many neighbours at one distance; by itself SMOTE gives two answers."""
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 3, (1500, 30)).astype(np.float32), np.arange(1500) % 3 // 2
    names = {"class_names": ("a", "b"), "name": "ties", "source": "made"}
    dataset = Dataset.of_rows(x, y, [np.arange(1500)] * 3, **names)
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(bytes_of(sampled(dataset, node("sampling=smote")), ["train"]))
    assert found[0] == found[1]


def test_images_are_sampled_as_rows_of_pixels(digits, node):
    flat = digits.x_train.reshape(len(digits.x_train), -1)
    for name in ("smote", "random_under"):
        x, _ = BY_HAND[name](random_state=SEED).fit_resample(flat, digits.y_train)
        found = sampled(digits, node(f"sampling={name}")).x_train
        assert found.shape == (len(x), *digits.input_shape)
        assert found.tobytes() == x.tobytes()


# --- validation and test rows --------------------------------------------------------------------
def made(seed, classes, rows, columns):
    """Random data whose classes have from 7 rows in training; no two rows are alike."""
    rng = np.random.default_rng(seed)
    y = rng.integers(classes, size=rows)
    y[: 7 * classes] = np.repeat(np.arange(classes), 7)
    names = {"class_names": tuple(map(str, range(classes))), "name": "made", "source": "made"}
    arrays = {"x_train": rng.normal(size=(rows, columns)), "y_train": y}
    for split in ("val", "test"):
        arrays |= {
            f"x_{split}": rng.normal(size=(classes, columns)),
            f"y_{split}": np.arange(classes),
        }
    return Dataset(**arrays, **names)


DATASETS = st.builds(
    made, st.integers(0, 2**32 - 1), st.integers(2, 4), st.integers(60, 120), st.integers(1, 5)
)


@settings(max_examples=25, derandomize=True, deadline=None)
@given(st.sampled_from([*BY_HAND, "balanced_batches"]), DATASETS, st.floats(-1e6, 1e6, width=32))
def test_no_row_of_validation_or_test_gets_into_training(node, name, one, other):
    """Whatever these rows are, training is the same; and all of it comes from training rows."""
    x = {f"x_{split}": np.full_like(getattr(one, f"x_{split}"), other) for split in SPLITS[1:]}
    two = dataclasses.replace(one, **x)
    words = node(f"sampling={name}")
    before, found, again = bytes_of(one), sampled(one, words), sampled(two, words)
    assert bytes_of(found, ["train"]) == bytes_of(again, ["train"])
    for old, new in ((one, found), (two, again)):
        assert bytes_of(new, SPLITS[1:]) == bytes_of(old, SPLITS[1:])
    assert bytes_of(one) == before
    for row, label in zip(found.x_train, found.y_train, strict=True):
        assert is_between_rows_of(one, row, label)


def is_between_rows_of(dataset, row, label):
    """Whether a row lies on the line between two training rows of its class, ends included."""
    known = dataset.x_train[dataset.y_train == label].astype(np.float64)
    to_row = np.linalg.norm(known - row, axis=1)
    detours = to_row[:, None] + to_row - np.linalg.norm(known[:, None] - known, axis=2)
    return detours.min() <= 1e-5


# --- balanced batches ----------------------------------------------------------------------------
def test_balanced_batches_draw_every_class_alike_and_every_row_of_a_class(numbers, node):
    drawn = sampled(numbers, node("sampling=balanced_batches"))
    assert bytes_of(drawn) == bytes_of(numbers)
    order = epoch_order(drawn, SEED)
    epochs = np.stack([order(epoch).numpy() for epoch in range(200)])
    rows, (_, rare) = len(numbers.y_train), numbers.class_counts
    assert epochs.shape == (200, rows)
    times = np.bincount(epochs.ravel(), minlength=rows)
    share = times[numbers.y_train == 1].sum() / epochs.size
    assert share == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(epochs.size))
    of_rare = times[numbers.y_train == 1]
    assert of_rare.max() - of_rare.min() < 8 * np.sqrt(epochs.size / 2 / rare)
    assert times.min() > 0
    assert order(7).numpy().tobytes() == order(tf.Variable(7, dtype=tf.int64)).numpy().tobytes()
    assert len({epoch.tobytes() for epoch in epochs}) == 200


def test_losses_and_priors_count_the_rows_that_are_trained_on(numbers, node):
    assert numbers.class_counts[0] > numbers.class_counts[1]
    for name in (*BY_HAND, "balanced_batches"):
        found = sampled(numbers, node(f"sampling={name}"))
        arguments = data_arguments(found)
        assert len(set(arguments["class_counts"])) == 1
        np.testing.assert_allclose(arguments["alpha"], 1)
        assert np.ptp(prior_offsets(np.array(found.trained_counts))) == 0


# --- what cannot be sampled ----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("on", "words", "said"),
    [
        ("numbers", ["smotenc"], "sampling=smotenc: simulated has no column of categories; right"),
        ("texts", ["smotenc"], "sampling=smotenc: texts has no column of numbers to draw between"),
        ("numbers", ["smote", "k_neighbors=40"], "'minority' of simulated has 27 training rows"),
        ("numbers", ["smote", "k_neighbors=40"], "right is sampling.k_neighbors=26 or"),
        ("numbers", ["smote", "sampling_strategy=0.1"], "sampling.sampling_strategy=0.1: sim"),
        ("numbers", ["random_under", "sampling_strategy=0.1"], "a ratio of 0.176 already; right"),
        (
            "digits",
            ["random_over", "sampling_strategy=0.5"],
            "two classes, digits has 10; right is",
        ),
        ("numbers", ["smote", "_target_=builtins.dict"], "must be a sampler, with fit_resample"),
    ],
)
def test_what_a_sampler_cannot_do_is_said_with_what_would_be_right(request, node, on, words, said):
    name, *keys = words
    config = node(f"sampling={name}", *(f"sampling.{key}" for key in keys))
    with pytest.raises(UserError) as refused:
        sampled(request.getfixturevalue(on), config)
    assert said in str(refused.value)


def test_more_rows_than_memory_should_hold_are_not_made(numbers, node, monkeypatch):
    monkeypatch.setattr("src.engine.sampling.MOST_NUMBERS", 2 * 153 * 10 - 1)
    assert (numbers.class_counts[0], numbers.input_shape) == (153, (10,))
    for name in ("random_over", "smote"):
        with pytest.raises(UserError, match="306 rows of 10 columns of simulated, more than 3,059"):
            sampled(numbers, node(f"sampling={name}"))
    for name in ("random_under", "balanced_batches"):
        assert sampled(numbers, node(f"sampling={name}"))


def test_advice_on_neighbours_is_right(numbers, node):
    assert sampled(numbers, node("sampling=smote", "sampling.k_neighbors=26")).class_counts
