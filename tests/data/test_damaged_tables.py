"""However a file is damaged, what comes out is a data set or a `DataError`, nothing else."""

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.data.dataset import Dataset
from src.data.errors import DataError
from src.data.table import table

X = np.arange(60.0).reshape(20, 3)
Z = np.tile([0, 1], 10)
Y = ["n", "n", "p"] * 20


def whole_files():
    memory = io.BytesIO()
    np.savez_compressed(memory, x=X, y=Z)
    frame = pd.DataFrame({"a": range(60), "b": list("xyz") * 20, "y": Y})
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
