"""Bodies of requests: bounded before they are parsed, and read as training read its file."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from src.data.errors import DataError, TooLargeError
from src.data.images.decode import NAMELESS, open_picture
from src.data.tabular.columns import TablePreprocessing
from src.data.tabular.limits import MOST_COLUMNS
from src.data.tabular.new_rows import name_by_width, new_rows
from src.data.tabular.parquet_table import ParquetTable
from src.data.tabular.text_format import TextFormat
from src.data.tabular.text_table import TextTable
from src.saved_model.facts import ServingFacts
from src.saved_model.pictures import file_in

JSON_TYPE = "application/json"
CSV_TYPE = "text/csv"
PARQUET_TYPE = "application/vnd.apache.parquet"
MOST_CELLS = 5_000_000
"""Cells of a table, which can be far larger than its body."""
MOST_LISTS = 1_000_000
"""Lists and objects of a JSON body, rows among them; five million took 17 s to become a table."""
LARGEST_DECODED = 256 * 2**20
"""Bytes of a Parquet table once it is decoded."""
MOST_PIXELS = 100_000_000
"""Pixels of the pictures of a body, by their headers: one to two seconds of decoding."""
MOST_VALUES = 20_000_000
"""Values of them at the size of the network, each of four bytes."""


def as_taken(kind: str, body: bytes, facts: ServingFacts) -> tuple[str, bytes]:
    """The media type and the body as MLflow takes them, not too large once it is decoded.

    Raises:
        TooLargeError: where it becomes more than fits.
        DataError: for a body that cannot be read.
    """
    if kind == JSON_TYPE:
        _check_json(body)
        if facts.images:
            _check_pictures(json.loads(body), math.prod(facts.input_shape))
    elif kind == PARQUET_TYPE:
        _check_parquet(body)
    elif kind == CSV_TYPE and facts.table:
        return PARQUET_TYPE, _as_parquet(body, facts.table)
    return kind, body


def _check_json(body: bytes) -> None:
    """Refuses what would become too many objects, or is no text in UTF-8; does not parse it.

    JSON in UTF-8 has no zero bytes; in UTF-16 it has.
    """
    lists, values = body.count(b"[") + body.count(b"{"), body.count(b",")
    if lists > MOST_LISTS or values > MOST_CELLS or values > MOST_COLUMNS * lists:
        raise TooLargeError("the body has too many values for a table.")
    try:
        valid = b"\0" not in body and bool(body.decode() or True)
    except UnicodeDecodeError:
        valid = False
    if not valid:
        raise DataError("the body is no valid JSON in UTF-8")


def _check_pictures(content: Any, values: int) -> None:
    """Refuses pictures that are too many together, each of so many values for the network.

    None of them is decoded.
    """
    pixels = pictures = 0
    for text in _texts(content):
        try:
            width, height = open_picture(file_in(text), NAMELESS).size
        except DataError:  # the model says in which row, unless it is the name of a decision
            continue
        pixels, pictures = pixels + width * height, pictures + 1
        if pixels > MOST_PIXELS or pictures * values > MOST_VALUES:
            raise TooLargeError(
                f"the pictures have more than {MOST_PIXELS:,} pixels by their headers, or more "
                f"than {MOST_VALUES:,} values once they are resized."
            )


def _texts(content: Any) -> Iterator[str]:
    """The texts in parsed JSON, but for names."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, list | dict):
        for part in content.values() if isinstance(content, dict) else content:
            yield from _texts(part)


def _check_parquet(body: bytes) -> None:
    """Refuses a table that would be far larger than its body."""
    with ParquetTable(io.BytesIO(body), "request") as file:
        frame = file.read(MOST_CELLS, LARGEST_DECODED)
    texts = frame.select_dtypes(object).fillna("")
    if sum(texts[name].map(len, na_action="ignore").sum() for name in texts) > LARGEST_DECODED:
        raise TooLargeError(f"the table takes more than {LARGEST_DECODED:,} bytes.")


def _as_parquet(body: bytes, table: TablePreprocessing) -> bytes:
    """A CSV body read by the rules of training, as MLflow takes a table with its types."""
    wanted = [*table.numeric, *table.categorical]
    text = replace(table.layout or TextFormat(), encoding=None)
    with TextTable(io.BytesIO(body), "request", text, ",") as file:
        file.refuse_larger(MOST_CELLS)
        if not text.header:
            name_by_width(file, table.layout, wanted)
        ((frame, _),) = new_rows(file, table)
    table.check_columns(frame.columns)
    stream = io.BytesIO()
    frame[wanted].to_parquet(stream)
    return stream.getvalue()
