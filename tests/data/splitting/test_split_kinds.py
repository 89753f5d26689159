"""Every kind of split, held against scikit-learn's own splitters and against what it promises."""

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, TimeSeriesSplit

from src.data.digits import digits
from src.data.splitting.plan import RowMarks, Splitting
from src.data.splitting.rows import LabelledRows
from src.data.table import table
from src.engine.build import load_dataset
from src.engine.sizing import sized
from src.runs.identity import setting_identity

NAMES = ("common", "rare", "rarer")


def labelled(y, alike=None, **marks):
    return LabelledRows(y, NAMES[: y.max() + 1], "here", RowMarks(**marks), alike)


def drawn(n=400, seed=0, p=(0.75, 0.2, 0.05)):
    return np.random.default_rng(seed).choice(len(p), n, p=p)


def clinic(n=300, seed=0):
    """Rows of 40 patients of unlike size, in the order of their days."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.normal(50, 9, n),
            "ward": rng.choice(["north", "south"], n),
            "patient": rng.integers(40, size=n) ** 2 // 40,
            "day": pd.date_range("2024-11-01", periods=n).strftime("%Y-%m-%d"),
            "outcome": rng.choice(["well", "ill"], n, p=[0.8, 0.2]),
        }
    )


# --- folds --------------------------------------------------------------------------------------
def test_folds_are_those_of_scikit_learn_and_each_repetition_tests_every_row_once():
    y, how = drawn(), Splitting(split="kfold", folds=4)
    for repetition in range(2):
        theirs = StratifiedKFold(4, shuffle=True, random_state=repetition).split(y, y)
        for fold, (rest, test) in enumerate(theirs):
            parts = labelled(y).split(4 * repetition + fold, how)
            np.testing.assert_array_equal(parts[2], test)
            np.testing.assert_array_equal(np.sort(np.concatenate(parts[:2])), rest)
            assert len(parts[1]) == pytest.approx(0.2 * len(y), abs=2)


@pytest.mark.parametrize(("mark", "groups"), [("group", 60), ("alike", 380)])
def test_folds_keep_groups_whole_and_copies_together_and_every_class_in_each(mark, groups):
    numbers = np.random.default_rng(1).integers(groups, size=400)
    numbers = np.unique(numbers, return_inverse=True)[1]
    rows, tested = labelled(drawn(), **{mark: numbers}), []
    for number in range(5):
        parts = rows.split(number, Splitting(split="kfold"))
        assert_whole(numbers, parts)
        assert all(len(np.unique(rows.y[part])) == 3 for part in parts)
        tested.append(parts[2])
    np.testing.assert_array_equal(np.sort(np.concatenate(tested)), np.arange(400))


def test_digits_take_folds_too():
    folds = [digits(seed, split="kfold", profile="none") for seed in range(5)]
    assert [data.split for data in folds] == ["kfold"] * 5
    assert sum(len(data.y_test) for data in folds) == 1797


# --- groups -------------------------------------------------------------------------------------
def assert_whole(groups, parts):
    sides = [set(groups[part]) for part in parts]
    assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])


def unlikeness(y, parts):
    """The largest difference of a class's share in a split from that in all rows, relative."""
    shares = np.bincount(y) / len(y)
    return max(
        np.abs(np.bincount(y[part], minlength=len(shares)) / len(part) / shares - 1).max()
        for part in parts
    )


@pytest.mark.parametrize("pure", [False, True], ids=["mixed", "of one class"])
def test_whole_groups_are_as_well_stratified_as_by_scikit_learn(pure):
    """And each seed draws other groups, where `StratifiedGroupKFold` shuffles those alike alone."""
    ours, theirs, tests = [], [], set()
    for seed in range(20):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(60), rng.integers(2, 25, 60))
        chance = rng.random(60) < 0.25 if pure else rng.beta(0.5, 2, 60)
        y = (rng.random(len(groups)) < np.float64(chance)[groups]).astype(np.int64)
        parts = labelled(y, group=groups).split(seed, Splitting(split="group"))
        assert_whole(groups, parts)
        ours.append(unlikeness(y, parts))
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed).split(y, y, groups)
        folds = [test for _, test in folds]
        theirs.append(unlikeness(y, [np.concatenate(folds[2:]), folds[1], folds[0]]))
    assert np.median(ours) <= np.median(theirs)
    assert np.max(ours) <= np.max(theirs)
    fixed = labelled(y, group=groups)
    for seed in range(10):
        tests.add(tuple(np.unique(groups[fixed.split(seed, Splitting(split="group"))[2]])))
    assert len(tests) == 10


def test_a_class_in_three_large_groups_is_in_every_split():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(30), rng.integers(5, 40, 30))
        y = np.isin(groups, rng.choice(30, 3, replace=False)) & (rng.random(len(groups)) < 0.5)
        y = y.astype(np.int64)
        for part in labelled(y, group=groups).split(seed, Splitting(split="group")):
            assert y[part].any()


# --- time ---------------------------------------------------------------------------------------
def test_origins_are_those_of_scikit_learn_the_latest_first():
    rng, y = np.random.default_rng(0), drawn(p=(0.6, 0.4))
    time, how = rng.permutation(400), Splitting(split="time", time="day", origins=3)
    order = np.argsort(time)
    theirs = [*TimeSeriesSplit(3, test_size=80).split(order)]
    for number in range(6):
        parts = labelled(y, time=time).split(number, how)
        before, test = theirs[2 - number % 3]
        np.testing.assert_array_equal(parts[2], order[test])
        np.testing.assert_array_equal(np.concatenate(parts[:2]), order[before])
        assert len(parts[1]) == pytest.approx(len(before) / 4, abs=1)


def test_no_cut_parts_rows_of_the_same_time():
    for seed in range(20):
        time = np.random.default_rng(seed).integers(30, size=400)
        for origin in range(4):
            how = Splitting(split="time", time="day")
            parts = labelled(drawn(p=(0.6, 0.4)), time=time).split(origin, how)
            train, val, test = (time[part] for part in parts)
            assert train.max() < val.min() <= val.max() < test.min()


def test_dates_are_read_however_they_are_written_without_doubt(tmp_path):
    """Days from the first of November on: some are read in one way alone."""
    rows = clinic()
    days = pd.to_datetime(rows["day"])
    texts = ["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y %H:%M", "%d %b %Y", "%Y-%m-%dT%H:%MZ"]
    written = [days.dt.strftime(text) for text in texts]
    written += [
        days,
        days.dt.date,
        days.dt.tz_localize("Europe/Berlin"),
        days.astype("int64") // 10**9,
    ]
    found = set()
    for column in written:
        rows.assign(day=column).to_parquet(tmp_path / "t.parquet")
        for seed in range(2):
            data = table(
                str(tmp_path / "t.parquet"), "outcome", drop=["patient"], time="day", seed=seed
            )
            found.add((seed, data.fingerprint))
            assert (data.split, data.estimand) == ("time", "periods")
            assert data.feature_names == ("age", "ward=north", "ward=south")
    assert len(found) == 2


# --- given --------------------------------------------------------------------------------------
@pytest.fixture
def parts(tmp_path):
    """A clinic's rows in one file with a column of splits, and in files of three kinds."""
    rows = clinic().drop(columns=["patient", "day"])
    rows["ward"] = rows["ward"].where(rows.index < 298, "attic")
    rows["part"] = np.repeat(["train", "validation", "test"], 100)
    rows.to_csv(tmp_path / "one.csv", index=False)
    files = {name: part.drop(columns="part") for name, part in rows.groupby("part")}
    files["train"].to_csv(tmp_path / "train.csv", index=False)
    files["validation"].to_csv(tmp_path / "val.tsv", index=False, sep="\t")
    files["test"].iloc[:, ::-1].assign(note=1).to_parquet(tmp_path / "test.parquet")
    return tmp_path


def test_given_files_and_a_column_are_the_same_splits_for_every_seed(parts):
    one = table(str(parts / "one.csv"), "outcome", split_column="part")
    files = {"test_path": str(parts / "test.parquet"), "val_path": str(parts / "val.tsv")}
    three = [table(str(parts / "train.csv"), "outcome", seed=seed, **files) for seed in (0, 1)]
    assert {data.fingerprint for data in three} == {one.fingerprint}
    assert (one.split, one.estimand, one.rows) == (
        "given",
        "trainings",
        {"train": 100, "val": 100, "test": 100},
    )
    assert one.feature_names == ("age", "ward=north", "ward=south"), "what training rows have"
    np.testing.assert_allclose(one.x_train[:, 0].mean(), 0, atol=1e-6)
    np.testing.assert_array_equal(one.x_test[-2:, 1:], 0)


def test_seeds_draw_validation_where_it_is_not_given_and_the_test_stays(parts):
    drawn = [
        table(str(parts / "train.csv"), "outcome", test_path=str(parts / "test.parquet"), seed=seed)
        for seed in (0, 1)
    ]
    assert drawn[0].fingerprint != drawn[1].fingerprint
    assert [data.rows for data in drawn] == [{"train": 80, "val": 20, "test": 100}] * 2
    np.testing.assert_array_equal(drawn[0].y_test, drawn[1].y_test)


def test_validation_of_a_given_split_is_the_latest_part_or_of_whole_groups():
    rng = np.random.default_rng(0)
    part, how = np.repeat([0, 2], 200), Splitting(split="given", time="day", group="patient")
    time = rng.permutation(400)
    train, val, test = labelled(drawn(), part=part, time=time).split(0, how)
    assert time[train].max() < time[val].min()
    assert len(val) == 40
    group = rng.integers(30, size=400)
    train, val, again = labelled(drawn(), part=part, group=group).split(0, how)
    assert not set(group[train]) & set(group[val])
    np.testing.assert_array_equal(test, again)


# --- what follows -------------------------------------------------------------------------------
def test_columns_of_the_split_are_no_features_and_are_not_asked_for_in_prediction(tmp_path):
    rows = clinic()
    rows.to_csv(tmp_path / "t.csv", index=False)
    data = table(str(tmp_path / "t.csv"), "outcome", group="patient", time=3, split="group")
    assert data.feature_names == ("age", "ward=north", "ward=south")
    np.testing.assert_array_equal(
        np.sort(data.preprocessing.transform(rows[["age", "ward"]]), axis=0),
        np.sort(np.vstack([data.x_train, data.x_val, data.x_test]), axis=0),
    )


def test_sizes_and_setting_are_those_of_every_split_and_of_a_config_without_the_keys(
    resolved, tmp_path
):
    clinic(2000).to_csv(tmp_path / "t.csv", index=False)
    words = [
        "data=table",
        f"data.path={tmp_path / 't.csv'}",
        "data.label=outcome",
        "training.batch_size=auto",
        "training.epochs=auto",
    ]
    for split in (
        ["data.time=day", "data.drop=[patient]"],
        ["data.group=patient", "data.drop=[day]"],
    ):
        composed, rows, settings = resolved(*words, *split), set(), set()
        for seed in (0, 2, 4):
            seeded = {part: composed[part] | {"seed": seed} for part in ("data", "training")}
            config = composed | seeded | {"seed": seed}
            data = load_dataset(config["data"])
            rows.add(len(data.y_train))
            settings.add(setting_identity(sized(config, data)))
        assert len(rows) == 3
        assert len(settings) == 1
    config = resolved(*words)
    new = {one.name for one in fields(Splitting)} - {"val_fraction", "test_fraction"}
    older = {key: value for key, value in config["data"].items() if key not in new}
    assert len(config["data"]) - len(older) == len(new) == 8
    assert setting_identity(config | {"data": older}) == setting_identity(config)
    folds = config | {"data": config["data"] | {"folds": 6}}
    assert setting_identity(folds) != setting_identity(config)
