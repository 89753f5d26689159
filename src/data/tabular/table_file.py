"""Opens a table in CSV, TSV, Parquet or NPZ, for training and for prediction; trusts no file."""

from __future__ import annotations

from pathlib import Path

from src.data.errors import DataError
from src.data.tabular.npz_table import NpzTable
from src.data.tabular.parquet_table import ParquetTable
from src.data.tabular.text_format import TextFormat
from src.data.tabular.text_table import TextTable

DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
SUFFIXES = (*DELIMITERS, ".parquet", ".npz")

TableFile = TextTable | ParquetTable | NpzTable
"""An open table, and a context that closes it.

`source` is its name in errors; `names` are those of its columns, `column_0`, ... where the file has
none; `total` is its size, in bytes of a text or in rows, and `done` how much of it has been read;
`type_of(name)` is a column's Arrow type. `chunks(size, as_text)` yields tables, or arrays of an NPZ
file, of `size` rows (None: all), at least one; of a text file the columns `as_text` as written.
`read(largest)` gives all rows to train on with their labels, checked, of at most `largest` cells.
"""


def open_table(
    path: Path, given: str, text: TextFormat, delimiter: str | None = None, split: str = ""
) -> TableFile:
    """Opens a table; the file's suffix says what it is.

    Args:
        path: a file ending in .csv, .tsv, .tab, .parquet or .npz.
        given: how the user named it, such as `data.path='mine.csv'`; errors begin with it.
        text: how a text file is written.
        delimiter: between the cells of a .csv file where nothing else says it; None for a comma.
        split: of an NPZ file whose arrays are named by splits, as of :class:`NpzTable`.

    Raises:
        DataError: for a file that is missing, empty, of another kind or damaged.
    """
    suffix = path.suffix.lower()
    if path.is_dir():
        raise DataError(f"{given} is a folder; give one file in it.")
    if path.exists() and not path.is_file():
        raise DataError(f"{given} is a pipe or a device; save what it gives as a file first.")
    if not path.is_file():
        raise DataError(f"{given} does not exist (looked from {Path.cwd()}).")
    if suffix not in SUFFIXES:
        raise DataError(
            f"{given} ends in {suffix or 'nothing'!r}; right are {', '.join(SUFFIXES)}."
        )
    try:
        if path.stat().st_size == 0:
            raise DataError(f"{path}: is an empty file.")
        stream = path.open("rb")
    except OSError as error:
        raise DataError(f"{given} cannot be read: {error.strerror}.") from error
    if suffix == ".npz":
        return NpzTable(stream, str(path), split)
    if suffix == ".parquet":
        return ParquetTable(stream, str(path))
    usual = DELIMITERS[suffix] if suffix != ".csv" or not delimiter else delimiter
    return TextTable(stream, str(path), text, usual)
