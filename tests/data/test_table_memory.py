"""A table that would take more than half of the memory is refused before it is read."""

import re

import numpy as np
import pandas as pd
import pytest

from src.data.collections.keel import keel
from src.data.errors import DataError
from src.data.table import table
from src.data.tabular import limits
from src.data.tabular.limits import BYTES_A_CELL, usable_memory

ROWS = 60
FRAME = pd.DataFrame(
    {"a": np.arange(ROWS), "b": np.arange(ROWS) % 7, "c": 1.5, "y": np.tile([0, 1, 1], 20)}
)


def written(folder, suffix):
    """The table in a file of that kind, as a source that reads it."""
    file = folder / f"mine{suffix}"
    if suffix == ".csv":
        FRAME.to_csv(file, index=False)
    elif suffix == ".parquet":
        FRAME.to_parquet(file)
    elif suffix == ".npz":
        np.savez(file, x=FRAME[["a", "b", "c"]].to_numpy(), y=FRAME["y"].to_numpy())
    else:
        FRAME.to_csv(file, index=False, header=False)
        return file, lambda: keel("mine", root=str(folder))
    return file, lambda: table(str(file))


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz", ".dat"])
def test_what_does_not_fit_is_refused_by_its_size_alone(tmp_path, monkeypatch, suffix):
    file, read = written(tmp_path, suffix)
    columns = 3 if suffix == ".npz" else 4  # of an NPZ file, those of x
    cells = ROWS * columns
    monkeypatch.setattr(limits, "usable_memory", lambda: 2 * BYTES_A_CELL * (cells + columns))
    assert sum(read().rows.values()) == ROWS
    if suffix in {".csv", ".parquet"}:  # a change of the rows, which only reading them would notice
        content = file.read_bytes()
        middle = len(content) // 3
        file.write_bytes(content[:middle] + b'"' + content[middle + 1 :])
    else:
        file.touch()
    monkeypatch.setattr(limits, "usable_memory", lambda: BYTES_A_CELL * cells)
    said = rf"\d+ rows of {columns} columns take about .* GB, more than half of the .*"
    with pytest.raises(DataError, match=said + f"{ROWS // 2} rows of all columns") as refused:
        read()
    assert "or 2 columns of all rows" in str(refused.value) or suffix != ".parquet"


def test_columns_of_a_parquet_file_that_are_left_out_take_no_memory(tmp_path, monkeypatch):
    file, read = written(tmp_path, ".parquet")
    monkeypatch.setattr(limits, "usable_memory", lambda: 2 * BYTES_A_CELL * ROWS * 3)
    with pytest.raises(DataError, match=re.escape("data.drop")):
        read()
    assert table(str(file), drop=["c"]).feature_names == ("a", "b")


@pytest.mark.parametrize(
    ("groups", "files", "limit"),
    [
        ("0::/\n", {"memory.max": "1000000\n"}, 1_000_000),
        ("0::/\n", {"memory.max": "max\n"}, None),
        ("0::/job/step\n", {"job/memory.max": "2000000", "job/step/memory.max": "max"}, 2_000_000),
        (
            "5:memory:/job\n0::/\n",
            {"memory/job/memory.limit_in_bytes": "3000000", "job/memory.max": "1"},
            3_000_000,
        ),
        ("", {}, None),
    ],
)
def test_control_groups_limit_the_memory_there_is(tmp_path, groups, files, limit):
    for name, content in files.items():
        (tmp_path / "cgroup" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "cgroup" / name).write_text(content)
    (tmp_path / "groups").write_text(groups)
    machine = usable_memory(tmp_path, tmp_path / "none")
    assert machine > 2**28
    assert usable_memory(tmp_path / "cgroup", tmp_path / "groups") == (limit or machine)
