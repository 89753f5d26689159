"""Fashion-MNIST is read from IDX files, strictly, and made imbalanced where asked."""

import gzip
import hashlib
import logging
import struct
import sys
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.data.dataset import decoded
from src.data.errors import DataError
from src.data.images.fashion_mnist import CLASS_NAMES, OFFICIAL, fashion_mnist
from src.data.images.idx import read_idx

MINI = Path(__file__).parents[3].parent / "shared" / "data" / "fashion-mnist-mini"
IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"


def idx_bytes(array, type_code=8):
    header = bytes([0, 0, type_code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(np.uint8).tobytes()


def write_set(folder, *, packed=True, rows=20, **replace):
    """Ten classes of `rows` images to train and 5 to test, each image its class in every pixel."""
    folder.mkdir(exist_ok=True)
    for part, each in (("train", rows), ("t10k", 5)):
        y = np.tile(np.arange(10), each)
        x = np.broadcast_to(y[:, None, None] * 25, (len(y), 28, 28))
        for kind, array in (("images-idx3", x), ("labels-idx1", y)):
            content = replace.get(f"{part}_{kind[:6]}", idx_bytes(array))
            name = f"{part}-{kind}-ubyte"
            if packed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(content, mtime=0))
            else:
                (folder / name).write_bytes(content)
    return folder


def read(folder, **changes):
    return fashion_mnist(**({"root": str(folder), "profile": "none"} | changes))


@pytest.mark.parametrize("packed", [True, False])
def test_images_come_out_as_they_went_in_the_official_test_images_as_the_test_split(
    tmp_path, packed
):
    data = read(write_set(tmp_path, packed=packed), seed=4)
    assert data.input_shape == (28, 28, 1)
    assert data.class_names == CLASS_NAMES
    for split in ("train", "val", "test"):
        x, y = getattr(data, f"x_{split}"), getattr(data, f"y_{split}")
        expected = np.broadcast_to((y * 25).astype(np.uint8)[:, None, None, None], x.shape)
        np.testing.assert_array_equal(x, expected)
        assert x.dtype == np.uint8
    np.testing.assert_array_equal(data.y_test, np.tile(np.arange(10), 5))
    assert np.bincount(data.y_val).tolist() == [4] * 10
    assert data.class_counts == (16,) * 10


def test_profiles_thin_training_and_validation_and_the_test_where_asked(tmp_path):
    folder = write_set(tmp_path, rows=100)
    step = {"profile": "step", "imbalance_ratio": 4, "rare_classes": ["Bag", 0]}
    data = read(folder, **step)
    assert data.class_counts == (20, 80, 80, 80, 80, 80, 80, 80, 20, 80)
    assert np.bincount(data.y_val).tolist() == [5, 20, 20, 20, 20, 20, 20, 20, 5, 20]
    assert np.bincount(data.y_test).tolist() == [5] * 10
    both = read(folder, **step, imbalance_test=True)
    assert np.bincount(both.y_test).tolist() == [1, 5, 5, 5, 5, 5, 5, 5, 1, 5]


def test_max_train_takes_all_classes_alike(tmp_path):
    data = read(write_set(tmp_path, rows=100), max_train=500)
    assert data.class_counts == (40,) * 10
    with pytest.raises(DataError, match=r"data\.max_train=3 must be at least 20"):
        read(tmp_path, max_train=3)


def test_one_warning_names_the_files_that_are_not_the_official_ones_by_md5(
    tmp_path, caplog, monkeypatch
):
    write_set(tmp_path)
    with caplog.at_level(logging.WARNING):
        read(tmp_path)
        assert len(caplog.records) == 1
        assert "not the official Fashion-MNIST files" in caplog.text
        caplog.clear()
        for name in OFFICIAL:
            md5 = hashlib.md5((tmp_path / name).read_bytes()).hexdigest()
            monkeypatch.setitem(OFFICIAL, name, md5)
        read(tmp_path)
        assert not caplog.records


@pytest.mark.skipif(not MINI.is_dir(), reason=f"the sample images are not in {MINI}")
def test_genuine_images_are_read():
    data = read(MINI, seed=0, profile="longtail", imbalance_ratio=10)
    assert len(data.y_test) == 300
    assert 0 < decoded(data.x_train).mean() < 1
    assert decoded(data.x_train).max() == 1.0
    assert data.class_counts[0] > 5 * data.class_counts[9]


BAD_SETS = {
    "another magic": ({"train_images": b"\x00\x00\x0d\x03" + bytes(12)}, "begins with 00 00 0d 03"),
    "labels for images": ({"train_images": idx_bytes(np.zeros(10))}, "begins with 00 00 08 01"),
    "nothing": ({"train_labels": b""}, "begins with nothing"),
    "header cut short": ({"train_images": bytes([0, 0, 8, 3]) + bytes(5)}, "within its header"),
    "no rows": ({"train_labels": idx_bytes(np.zeros(0))}, "holds no values"),
    "values cut short": ({"train_labels": idx_bytes(np.zeros(200))[:-1]}, "199 of the 200 values"),
    "values left over": ({"train_labels": idx_bytes(np.zeros(200)) + b"x"}, "on after the 200"),
    "one label short": ({"train_labels": idx_bytes(np.arange(199) % 10)}, "200 images and .* 199"),
    "eleventh class": ({"t10k_labels": idx_bytes(np.arange(50) % 11)}, "has label 10"),
    "class not tested": ({"t10k_labels": idx_bytes(np.arange(50) % 9)}, "class 'Ankle boot' .0."),
    "other size": ({"t10k_images": idx_bytes(np.zeros((50, 14, 14)))}, r"test images \(14, 14\)"),
}


@pytest.mark.parametrize(("replace", "message"), BAD_SETS.values(), ids=BAD_SETS.keys())
def test_damaged_sets_are_refused_with_the_reason(tmp_path, replace, message):
    with pytest.raises(DataError, match=message):
        read(write_set(tmp_path, **replace))


def test_a_header_that_promises_more_than_the_file_can_hold_is_refused_unread(tmp_path):
    bomb = bytes([0, 0, 8, 3]) + struct.pack(">3I", 60000, 2**15, 2**15)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(bomb + bytes(1000)))
    with pytest.raises(DataError, match="more than a file of"):
        read_idx(tmp_path / "bomb.gz", rank=3)


def test_no_more_is_unpacked_than_the_header_promises(tmp_path):
    content = idx_bytes(np.zeros((10, 28, 28))) + bytes(200_000_000)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(content, 1))
    del content
    tracemalloc.start()
    with pytest.raises(DataError, match="goes on after"):
        read_idx(tmp_path / "bomb.gz", rank=3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


WHOLE = gzip.compress(idx_bytes(np.arange(24).reshape(6, 2, 2)), mtime=0)


@given(index=st.integers(0, len(WHOLE) - 1), flip=st.integers(0, 255))
@settings(max_examples=160, derandomize=True, deadline=None)
def test_a_file_cut_short_is_refused_and_a_flipped_byte_too_or_does_no_harm(
    tmp_path_factory, index, flip
):
    path = tmp_path_factory.mktemp("damaged") / "images.gz"
    path.write_bytes(WHOLE[:index])
    with pytest.raises(DataError):
        read_idx(path, rank=3)
    damaged = bytearray(WHOLE)
    damaged[index] ^= flip
    path.write_bytes(damaged)
    try:
        found = read_idx(path, rank=3)
    except DataError:
        return
    np.testing.assert_array_equal(found, np.arange(24).reshape(6, 2, 2))


def test_a_missing_folder_or_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"data\.root='.*nowhere' is not a folder"):
        read(tmp_path / "nowhere")
    write_set(tmp_path)
    (tmp_path / LABELS).unlink()
    with pytest.raises(DataError, match=rf"has no {LABELS}, with or without \.gz"):
        read(tmp_path)


def test_without_a_folder_keras_fetches_the_official_files_by_their_sums(tmp_path, monkeypatch):
    write_set(tmp_path)
    asked = []

    def get_file(name, *, origin, cache_subdir, file_hash):
        asked.append((name, origin.rsplit("/", 1)[1], cache_subdir, file_hash))
        if len(asked) > len(OFFICIAL):
            raise Exception("URL fetch failure")
        return str(tmp_path / name)

    fake = SimpleNamespace(utils=SimpleNamespace(get_file=get_file))
    monkeypatch.setitem(sys.modules, "keras", fake)
    assert fashion_mnist(profile="none").source == "Fashion-MNIST"
    folder = "datasets/fashion-mnist"
    assert asked == [(name, name, folder, md5) for name, md5 in OFFICIAL.items()]
    with pytest.raises(DataError, match=r"URL fetch failure.*set data\.root=FOLDER"):
        fashion_mnist()
