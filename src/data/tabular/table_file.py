"""Reads a table from CSV, TSV, Parquet or NPZ into a pandas frame, trusting nothing in the file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from src.data.errors import DataError, shortened
from src.data.tabular.npz_table import read_npz
from src.data.tabular.text_table import read_text

DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
SUFFIXES = (*DELIMITERS, ".parquet", ".npz")
# Cells that fit in about 4 GiB; a compressed file can promise far more than it weighs.
LARGEST_TABLE = 500_000_000


def read_table(path: Path, *, header: bool, delimiter: str | None = None) -> pd.DataFrame:
    """Reads every column of a table; the file's suffix says what it is.

    Args:
        path: a file ending in .csv, .tsv, .tab, .parquet or .npz.
        header: whether the first row of a text file holds the columns' names.
        delimiter: one character between the cells of a text file; None takes it from the suffix.

    Returns:
        The table. Columns without a name are `column_0`, `column_1`, ...; the columns of an NPZ
        file are those of `x` so named, and then `y`.

    Raises:
        DataError: for a file that is missing, empty, of another kind, damaged, or whose column
            names repeat.
    """
    suffix = path.suffix.lower()
    if path.is_dir():
        raise DataError(f"data.path={str(path)!r} is a folder; give one file in it.")
    if not path.is_file():
        raise DataError(f"data.path={str(path)!r} does not exist (looked from {Path.cwd()}).")
    if suffix not in SUFFIXES:
        raise DataError(
            f"data.path={str(path)!r} ends in {suffix or 'nothing'!r}; right are "
            f"{', '.join(SUFFIXES)}."
        )
    try:
        empty = path.stat().st_size == 0
        with path.open("rb"):
            pass
    except OSError as error:
        raise DataError(f"data.path={str(path)!r} cannot be read: {error.strerror}.") from error
    if empty:
        raise DataError(f"{path}: is an empty file.")
    if suffix == ".npz":
        return read_npz(path, LARGEST_TABLE)
    if suffix == ".parquet":
        return _read_parquet(path)
    return read_text(path, header=header, delimiter=delimiter or DELIMITERS[suffix])


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            rows, columns = file.metadata.num_rows, len(names)
            if rows * columns > LARGEST_TABLE:
                raise DataError(
                    f"{path}: {rows} rows of {columns} columns are more than the "
                    f"{LARGEST_TABLE:,} cells that fit."
                )
            repeated = sorted({name for name in names if names.count(name) > 1})
            if repeated:
                raise DataError(f"{path}: column names repeat: {shortened(repeated)}.")
            table = file.read()
            table.validate(full=True)
            # The file's own pandas metadata could hide columns in an index.
            return table.to_pandas(ignore_metadata=True)
    except (pa.ArrowException, OSError, ValueError, TypeError, OverflowError) as error:
        first_line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path}: cannot be read as a Parquet file: {first_line}") from error
