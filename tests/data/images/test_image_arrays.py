"""Arrays of pictures in an NPZ file are a data set, in memory or unpacked to disk."""

import numpy as np
import pytest

from src.data.dataset import SPLITS
from src.data.errors import DataError
from src.data.images.image_arrays import image_arrays
from src.data.table import table

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (60, 5, 4, 3), dtype=np.uint8)
Y = np.array(["dog", "cat", "cat"] * 20)


def save(folder, x=X, y=Y, packed=True):
    file = folder / "pictures.npz"
    (np.savez_compressed if packed else np.savez)(file, x=x, y=y)
    return str(file)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("gray", [True, False])
def test_pictures_come_out_as_they_went_in_from_memory_and_from_disk(tmp_path, packed, gray):
    x = X[..., 0] if gray else X
    file, cache = save(tmp_path, x, packed=packed), str(tmp_path / "cache")
    data = image_arrays(file, 3, cache=cache)
    disk = image_arrays(file, 3, cache=cache, memory_share=1e-9)
    assert (data.on_disk, disk.on_disk) == (False, True)
    assert disk.fingerprint == data.fingerprint
    assert data.input_shape == (5, 4, 1 if gray else 3)
    assert (data.class_names, data.name) == (("cat", "dog"), "pictures")
    known = {image.tobytes(): label for image, label in zip(x, Y, strict=True)}
    pairs = [
        (image.tobytes(), data.class_names[label])
        for split in SPLITS
        for image, label in zip(
            getattr(data, f"x_{split}"), getattr(data, f"y_{split}"), strict=True
        )
    ]
    assert dict(pairs) == known
    assert len(pairs) == len(known) == 60
    thin = image_arrays(file, profile="step", imbalance_ratio=8, rare_classes=["cat"], cache=cache)
    assert thin.class_counts == (3, 12)
    assert image_arrays(file, 4, split="kfold", cache=cache).split == "kfold"


@pytest.mark.parametrize("splits", [("train", "test"), SPLITS], ids=len)
@pytest.mark.parametrize("share", [0.25, 1e-9], ids=["in memory", "on disk"])
def test_splits_of_a_file_as_keras_has_them_are_given(tmp_path, caplog, splits, share):
    x, y = X.copy(), Y[:, None]
    x[59] = x[7]
    rows = dict(zip(SPLITS, np.split(np.arange(60), [36, 48]), strict=True))
    arrays = {f"{n}_{s}": a[rows[s]] for s in splits for n, a in (("x", x), ("y", y))}
    np.savez(tmp_path / "mnist.npz", **arrays)
    file, how = str(tmp_path / "mnist.npz"), {"cache": str(tmp_path), "memory_share": share}
    data = image_arrays(file, 1, **how)
    assert (data.split, data.estimand, data.on_disk) == ("given", "trainings", share < 0.1)
    np.testing.assert_array_equal(data.x_test[:], x[rows["test"]])
    assert [data.class_names[k] for k in data.y_test] == Y[rows["test"]].tolist()
    if "val" in splits:
        np.testing.assert_array_equal(data.x_val[:], x[rows["val"]])
    drawn = [image.tobytes() for image in [*data.x_train[:], *data.x_val[:]]]
    assert sorted(drawn) == sorted(x[r].tobytes() for s in splits[:-1] for r in rows[s])
    assert "1 of 12 test pictures are in train or val, too, so their classes" in caplog.text
    pooled = image_arrays(file, split="random", **how)
    assert sum(pooled.rows.values()) == len(drawn) + 12
    assert (pooled.split, pooled.rows["test"]) != ("given", 12)
    with pytest.raises(DataError, match=r"it holds .*'x_test'.*data=image_arrays trains on"):
        table(file)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"y_test": None}, "needs the arrays 'x_test' and 'y_test', as np.savez.path, x_test=x_te"),
        (
            {"x_test": X[:, :4]},
            r"'x_test' has shape \(60, 4, 4, 3\) and 'x_train' has shape",
        ),
        ({"x_test": X / 255}, r"'x_test' has shape \(60, 5, 4, 3\) and dtype float64"),
        ({"y_test": Y[:9]}, "'x_test' has 60 rows and 'y_test' has 9"),
        ({"y_test": np.full(60, "owl")}, "none of the 60 rows given as train is of class 'owl'"),
    ],
)
def test_splits_that_do_not_fit_are_refused(tmp_path, changes, words):
    arrays = {"x_train": X, "y_train": Y, "x_test": X, "y_test": Y} | changes
    np.savez(tmp_path / "a.npz", **{k: v for k, v in arrays.items() if v is not None})
    with pytest.raises(DataError, match=words):
        image_arrays(str(tmp_path / "a.npz"))


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (X / 255, Y, r"'x' has shape \(60, 5, 4, 3\) and dtype float64; pictures are uint8"),
        (X[:, :, 0, 0], Y, r"'x' has shape \(60, 5\) and dtype uint8; pictures are"),
        (X, Y[:9], "'x' has 60 rows and 'y' has 9"),
        (X, RNG.random(60), "a measurement or an identifier, not a class"),
    ],
)
def test_arrays_that_are_no_pictures_are_refused(tmp_path, x, y, words):
    with pytest.raises(DataError, match=words):
        image_arrays(save(tmp_path, x, y))


def test_another_file_is_refused_and_a_table_of_pictures_says_where_they_are_read(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"ends in '\.csv'; pictures as arrays are a \.npz file"):
        image_arrays(str(tmp_path / "a.csv"))
    with pytest.raises(DataError, match=r"does not exist"):
        image_arrays(str(tmp_path / "b.npz"))
    with pytest.raises(DataError, match=r"data=image_arrays to train on them"):
        table(save(tmp_path))
    with pytest.raises(DataError, match=r"data\.split=given: \S+ is not split; right are"):
        image_arrays(save(tmp_path), split="given")
