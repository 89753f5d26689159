"""Writes predictions to CSV, TSV or Parquet; the file appears when it is whole, or not at all."""

import os
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from src.data.tabular.table_file import DELIMITERS
from src.errors import UserError
from src.saved_model.facts import CLASS, ServingFacts

SUFFIXES = (*DELIMITERS, ".parquet")


class _Writer(Protocol):
    def write_table(self, table: pa.Table) -> None: ...

    def close(self) -> None: ...


class AnswerFile:
    """A context: chunks go into a draft beside the file, which takes its place at the end.

    Args:
        path: the file; one that is there is replaced.
        facts: of the model.
        kept: columns that come before the prediction, by name with their Arrow types.

    Raises:
        UserError: where the file cannot be written.
    """

    def __init__(self, path: Path, facts: ServingFacts, kept: dict[str, pa.DataType]) -> None:
        probabilities = [(name, pa.float64()) for name in facts.output_columns[1:]]
        self._schema = pa.schema([*kept.items(), (CLASS, pa.string()), *probabilities])
        self._path = path
        self._draft = path.with_name(f".{path.name}.{os.getpid()}.part")
        self._writer: _Writer | None = None

    def __enter__(self) -> "AnswerFile":
        try:
            self._stream = self._draft.open("wb")
        except OSError as error:
            raise UserError(f"-o {self._path}: cannot be written: {error.strerror}") from error
        suffix = self._path.suffix.lower()
        if suffix == ".parquet":
            self._writer = pq.ParquetWriter(self._stream, self._schema)
        else:
            options = pc.WriteOptions(delimiter=DELIMITERS[suffix], quoting_style="needed")
            self._writer = pc.CSVWriter(self._stream, self._schema, write_options=options)
        return self

    def write(self, columns: dict[str, Any]) -> None:
        """Adds rows.

        Args:
            columns: by name, alike in length.
        """
        assert self._writer is not None
        arrays = [
            pa.array(columns[field.name], type=field.type, from_pandas=True)
            for field in self._schema
        ]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Puts the draft in its place, or takes it away."""
        try:
            if error is None and self._writer is not None:
                self._writer.close()
                self._stream.flush()
                os.fsync(self._stream.fileno())
                self._stream.close()
                self._draft.replace(self._path)
        finally:
            self._stream.close()
            self._draft.unlink(missing_ok=True)


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
