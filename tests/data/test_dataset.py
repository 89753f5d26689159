"""A data set checks what it is given, cannot be changed, and knows itself by its fingerprint."""

import hashlib
import json
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from src.data.dataset import Dataset, decoded
from src.data.errors import DataError
from src.errors import UserError


def parts(**changes):
    y = np.array([0, 1, 0, 1])
    whole = {
        f"x_{s}": np.arange(8.0).reshape(4, 2) + i for i, s in enumerate(("train", "val", "test"))
    }
    whole |= {f"y_{split}": y for split in ("train", "val", "test")}
    whole |= {"class_names": ("no", "yes"), "name": "tiny", "source": "by hand"}
    return whole | changes


def test_arrays_become_float32_and_int64_in_c_order_and_cannot_be_changed():
    given = np.asfortranarray(np.arange(8.0, dtype=np.float32).reshape(4, 2))
    data = Dataset(**parts(x_train=given, y_train=np.array([0, 1, 0, 1], dtype=np.uint8)))
    assert (data.x_train.dtype, data.y_train.dtype) == (np.float32, np.int64)
    assert data.x_train.flags.c_contiguous
    np.testing.assert_array_equal(data.x_train, given)
    with pytest.raises(FrozenInstanceError):
        data.name = "other"
    with pytest.raises(ValueError, match="read-only"):
        data.x_train[0, 0] = 1
    assert given.flags.writeable


def test_pixels_stay_bytes_and_stand_for_zero_to_one():
    pixels = np.arange(32, dtype=np.uint8).reshape(4, 2, 2, 2) * 8
    images = {f"x_{split}": pixels for split in ("train", "val", "test")}
    data = Dataset(**parts(**images))
    assert data.x_train.dtype == np.uint8
    assert decoded(data.x_train).dtype == np.float32
    np.testing.assert_array_equal(decoded(data.x_train), pixels.astype(np.float32) / 255)
    rows = Dataset(**parts(x_train=np.arange(8, dtype=np.uint8).reshape(4, 2)))
    assert rows.x_train.dtype == np.float32, "columns of a table are numbers"
    assert decoded(rows.x_train) is rows.x_train


def test_the_fingerprint_is_the_sha256_of_headers_bytes_and_class_names():
    data = Dataset(**parts())
    digest = hashlib.sha256()
    for split in ("train", "val", "test"):
        x, y = getattr(data, f"x_{split}"), getattr(data, f"y_{split}")
        digest.update(json.dumps([f"x_{split}", "<f4", [4, 2]]).encode() + x.tobytes())
        digest.update(json.dumps([f"y_{split}", "<i8", [4]]).encode() + y.tobytes())
    digest.update(json.dumps(["no", "yes"]).encode())
    assert data.fingerprint == digest.hexdigest()


def test_name_source_and_what_was_fitted_leave_the_fingerprint_alone():
    other = Dataset(**parts(name="n", source="s", preprocessing=object()))
    assert other.fingerprint == Dataset(**parts()).fingerprint
    assert Dataset(**parts(preprocessing=object())) == Dataset(**parts()) != other


def test_properties_describe_the_training_split():
    data = Dataset(**parts(x_train=np.zeros((3, 2)), y_train=np.array([0, 0, 1])))
    assert (data.num_classes, data.input_shape) == (2, (2,))
    assert data.class_counts == (2, 1)
    assert data.rarest_class == 1
    assert data.describe() == (
        "tiny: 3/4/4 rows (train/val/test), input 2, 2 classes, rarest 'yes' with 1 training rows "
        "(33.3 %)"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_val": np.full((4, 2), np.nan)}, "val split holds NaN or infinite"),
        ({"x_test": np.full((4, 2), 1e39)}, "test split holds NaN or infinite"),
        ({"y_val": np.zeros(4, dtype=int)}, "val split has no row of 'yes'"),
        ({"y_test": np.array([0, 1, 2, 0])}, "labels outside 0 to 1"),
        ({"y_test": np.array([0, 1, -1, 0])}, "labels outside 0 to 1"),
        ({"y_train": np.array([0, 1, 0])}, "4 rows and labels of shape"),
        ({"y_train": np.array([0.0, 1, 0, 1])}, "dtype float64"),
        ({"x_test": np.zeros((4, 3))}, "shape"),
        ({"x_train": np.zeros((4, 0))}, "shape"),
        ({"class_names": ("only",)}, "at least two classes"),
        ({"class_names": ("a", "a")}, "repeat"),
        ({"feature_names": ("a",)}, "1 feature names"),
    ],
)
def test_what_does_not_fit_is_refused_naming_the_split(change, message):
    with pytest.raises(DataError, match=message) as caught:
        Dataset(**parts(**change))
    assert isinstance(caught.value, UserError)
    assert "by hand" in str(caught.value)
