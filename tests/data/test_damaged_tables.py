"""A damaged or hostile file ends in a data set or a `DataError`, and no pickle is ever loaded."""

import io
import pickle
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.data.dataset import Dataset
from src.data.errors import DataError
from src.data.table import table
from tests.marker import Marker

X = np.arange(60.0).reshape(20, 3)
Z = np.tile([0, 1], 10)


def npz(path, **arrays):
    np.savez(path, **arrays)
    return str(path)


def npz_of_files(path, compression=zipfile.ZIP_STORED, **contents):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in contents.items():
            archive.writestr(f"{name}.npy", content)
    return str(path)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": X}, "needs the arrays 'x' and 'y'.*it holds 'x'"),
        ({"features": X, "y": Z}, "it holds 'features', 'y'"),
        ({"x": X, "y": Z[:-1]}, "'x' has 20 rows and 'y' has 19"),
        ({"x": X[:, 0], "y": Z}, r"'x' has shape \(20,\)"),
        ({"x": X.reshape(20, 3, 1), "y": Z}, "two-dimensional"),
        ({"x": X.astype(str), "y": Z}, "dtype <U"),
        ({"x": X.astype(complex), "y": Z}, "dtype complex128"),
        ({"x": X, "y": np.eye(20)}, r"'y' has shape \(20, 20\)"),
        ({"x": np.zeros((0, 3)), "y": np.zeros(0, int)}, "classes|class"),
        ({"x": np.zeros((20, 0)), "y": Z}, "no column is left"),
        ({"x": np.where(X == 5, np.inf, X), "y": Z}, "infinite"),
    ],
)
def test_npz_files_of_the_wrong_arrays(tmp_path, arrays, message):
    with pytest.raises(DataError, match=message):
        table(npz(tmp_path / "mine.npz", **arrays))


def test_a_pickle_is_refused_and_never_loaded(tmp_path):
    marker = tmp_path / "was-unpickled"
    poison = np.array([Marker(marker)] * 20, dtype=object)
    for name in ("x", "y"):
        path = npz(tmp_path / "mine.npz", **({"x": X, "y": Z} | {name: poison}))
        with pytest.raises(DataError, match=f"array '{name}' holds pickled Python objects"):
            table(path)
    for suffix in (".npz", ".parquet", ".csv"):
        bare = tmp_path / f"mine{suffix}"
        bare.write_bytes(pickle.dumps(Marker(marker)))
        with pytest.raises(DataError):
            table(str(bare))
    assert not marker.exists()


def test_an_array_that_promises_more_than_the_archive_holds_takes_no_memory(tmp_path):
    header = io.BytesIO()
    promise = {"descr": "<f8", "fortran_order": False, "shape": (10**12, 3)}
    np.lib.format.write_array_header_1_0(header, promise)
    bomb = npz_of_files(tmp_path / "b.npz", x=header.getvalue() + bytes(64), y=header.getvalue())
    with pytest.raises(DataError, match=r"'x' promises shape \(1000000000000, 3\)"):
        table(bomb)


def test_an_array_in_a_compression_that_numpy_does_not_write_is_refused_unread(tmp_path):
    content = io.BytesIO()
    np.save(content, np.zeros((10**4, 3)))
    path = npz_of_files(tmp_path / "x.npz", zipfile.ZIP_LZMA, x=content.getvalue(), y=b"")
    with pytest.raises(DataError, match=r"more than its .* bytes in the archive can hold"):
        table(path)


def test_a_large_array_of_zeros_is_no_bomb(tmp_path):
    path = tmp_path / "mine.npz"
    np.savez_compressed(path, x=np.zeros((10**5, 3)), y=np.tile([0, 1], 10**5 // 2))
    (x, *_) = zipfile.ZipFile(path).infolist()
    assert x.file_size > 900 * x.compress_size, "near the 1,032 that deflate can reach"
    assert table(str(path), duplicates="keep").input_shape == (3,)


def whole_files():
    memory = io.BytesIO()
    np.savez_compressed(memory, x=X, y=Z)
    frame = pd.DataFrame({"a": range(60), "b": list("xyz") * 20, "y": ["n", "n", "p"] * 20})
    return {
        ".npz": memory.getvalue(),
        ".parquet": frame.to_parquet(),
        ".csv": frame.to_csv(index=False).encode(),
    }


WHOLE = whole_files()
BINARY = [".npz", ".parquet"]


def outcome_is_a_data_set_or_a_data_error(path, **options):
    try:
        assert isinstance(table(str(path), **options), Dataset)
    except DataError as error:
        assert str(error)


@given(
    suffix=st.sampled_from(BINARY),
    changes=st.lists(st.tuples(st.floats(0, 0.999), st.integers(1, 255)), min_size=1, max_size=4),
)
@settings(max_examples=250, derandomize=True, deadline=None)
@pytest.mark.filterwarnings("ignore")
def test_flipped_bytes_never_end_in_anything_else(tmp_path_factory, suffix, changes):
    path = tmp_path_factory.mktemp("flip") / f"mine{suffix}"
    damaged = bytearray(WHOLE[suffix])
    for share, flip in changes:
        damaged[int(share * len(damaged))] ^= flip
    path.write_bytes(damaged)
    outcome_is_a_data_set_or_a_data_error(path)


@given(
    suffix=st.sampled_from([".csv", ".tsv", ".npz", ".parquet"]), content=st.binary(max_size=300)
)
@settings(max_examples=120, derandomize=True, deadline=None)
def test_garbage_is_refused(tmp_path_factory, suffix, content):
    path = tmp_path_factory.mktemp("garbage") / f"mine{suffix}"
    path.write_bytes(content)
    with pytest.raises(DataError):
        table(str(path))


CELLS = st.sampled_from(["1", "-2.5", "1e300", "nan", "inf", "", "x", "'y'", '"', "é", "?", "True"])


@given(
    lines=st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=25),
    label=st.one_of(st.integers(-5, 5), st.sampled_from(["1", "x", "-1", "column_0"])),
    header=st.booleans(),
)
@settings(max_examples=250, derandomize=True, deadline=None)
def test_strange_text_never_ends_in_anything_else(tmp_path_factory, lines, label, header):
    path = tmp_path_factory.mktemp("text") / "mine.csv"
    path.write_text("\n".join(",".join(cells) for cells in lines), encoding="utf-8")
    outcome_is_a_data_set_or_a_data_error(path, label=label, header=header)


@given(suffix=st.sampled_from(sorted(WHOLE)), share=st.floats(0, 0.999))
@settings(max_examples=120, derandomize=True, deadline=None)
def test_a_file_cut_short_is_refused_or_as_text_a_smaller_table(tmp_path_factory, suffix, share):
    path = tmp_path_factory.mktemp("cut") / f"mine{suffix}"
    path.write_bytes(WHOLE[suffix][: int(share * len(WHOLE[suffix]))])
    if suffix in BINARY:
        with pytest.raises(DataError):
            table(str(path))
    else:
        outcome_is_a_data_set_or_a_data_error(path, label="y")
