"""Writes predictions to CSV, TSV or Parquet; the file appears when it is whole, or not at all."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from src.data.tabular.table_file import DELIMITERS
from src.errors import UserError
from src.saved_model.facts import CLASS, ServingFacts

SUFFIXES = (*DELIMITERS, ".parquet")


@contextmanager
def answer_file(
    path: Path, facts: ServingFacts, kept: dict[str, pa.DataType]
) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A context: chunks go into a draft beside the file, which takes its place at the end.

    The columns that are kept come before the prediction, by name with their Arrow types.

    Yields:
        Adds rows, given as columns by name, alike in length.

    Raises:
        UserError: where the file cannot be written.
    """
    probabilities = [(name, pa.float64()) for name in facts.output_columns[1:]]
    schema = pa.schema([*kept.items(), (CLASS, pa.string()), *probabilities])
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        stream = draft.open("wb")
    except OSError as error:
        raise UserError(f"-o {path}: cannot be written: {error.strerror}") from error
    try:
        with stream:
            writer = _writer(stream, schema, path.suffix.lower())
            yield lambda columns: writer.write_table(pa.Table.from_pydict(columns, schema))
            writer.close()
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _writer(stream: BinaryIO, schema: pa.Schema, suffix: str) -> pq.ParquetWriter | pc.CSVWriter:
    if suffix == ".parquet":
        return pq.ParquetWriter(stream, schema)
    options = pc.WriteOptions(delimiter=DELIMITERS[suffix], quoting_style="needed")
    return pc.CSVWriter(stream, schema, write_options=options)


def check_answer_path(path: Path, rows: Path) -> None:
    """Refuses a place where no answer can be written, before anything is read.

    Raises:
        UserError: names what would be right.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UserError(f"-o {path}: right endings are {', '.join(SUFFIXES)}")
    if path.is_dir() or not path.parent.is_dir():
        raise UserError(f"-o {path}: must be a file in a folder that exists")
    if path.exists() and rows.exists() and path.samefile(rows):
        raise UserError(f"-o {path}: is the file of rows itself")
