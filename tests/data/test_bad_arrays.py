"""NPZ files that cannot be used end in one clear error, and no pickle is ever loaded."""

import io
import pickle
import zipfile

import numpy as np
import pytest

from src.data.errors import DataError
from src.data.table import table


def npz(path, **arrays):
    np.savez(path, **arrays)
    return str(path)


X = np.arange(60.0).reshape(20, 3)
Z = np.tile([0, 1], 10)


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


class Marker:
    """Creates a file when unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


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
    path = tmp_path / "bomb.npz"
    header = io.BytesIO()
    promise = {"descr": "<f8", "fortran_order": False, "shape": (10**12, 3)}
    np.lib.format.write_array_header_1_0(header, promise)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", header.getvalue() + bytes(64))
        archive.writestr("y.npy", header.getvalue())
    with pytest.raises(DataError, match=r"'x' promises shape \(1000000000000, 3\)"):
        table(str(path))


def test_an_array_in_a_compression_that_numpy_does_not_write_is_refused_unread(tmp_path):
    path = tmp_path / "mine.npz"
    content = io.BytesIO()
    np.save(content, np.zeros((10**6, 3)))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("x.npy", content.getvalue())
        archive.writestr("y.npy", b"")
    with pytest.raises(DataError, match=r"more than its .* bytes in the archive can hold"):
        table(str(path))


def test_a_large_array_of_zeros_is_no_bomb(tmp_path):
    path = tmp_path / "mine.npz"
    np.savez_compressed(path, x=np.zeros((10**6, 3)), y=np.tile([0, 1], 10**6 // 2))
    assert table(str(path)).input_shape == (3,)
