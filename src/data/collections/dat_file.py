"""Reads KEEL's `.dat` files, with their header of `@` lines or without.

Format: `@relation NAME`; an `@attribute NAME real [0, 1]`, `integer [0, 9]` or `{a, b}` per column;
`@inputs` and `@outputs`, names of columns; `@data`; then a row per line, commas between cells,
`<null>` or `?` where a value is missing. Without a header the last column is the label.
Source: Alcalá-Fdez et al. 2011, "KEEL data-mining software tool: data set repository".
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from pandas.api.types import is_numeric_dtype

from src.data.errors import DataError, refuse_repeated, shortened
from src.data.tabular.columns import TableLayout
from src.data.tabular.raw_table import LARGEST_TABLE, RawTable, choose_columns
from src.data.tabular.text_format import TextFormat
from src.data.tabular.text_table import TextTable
from src.errors import close_match

LARGEST_FILE = 256 * 2**20
MISSING = ("?", "<null>")
ATTRIBUTE = re.compile(r"@attribute\s+('[^']+'|\"[^\"]+\"|[^\s{]+)\s*(.*)", re.IGNORECASE)


@dataclass(frozen=True)
class DatHeader:
    """What the `@` lines declare: `lines` is how many there are, with `@data` and comments."""

    lines: int
    names: list[str]
    nominal: list[str]
    inputs: list[str]
    output: str


def read_dat(
    file: Path,
    source: str,
    drop: Sequence[str | int] = (),
    aside: Mapping[str, str | int] | None = None,
) -> RawTable:
    """Reads a file, with a header or without; `drop` and `aside` are as of `choose_columns`.

    Raises:
        DataError: for a file that is missing, too large, damaged or cut.
    """
    lines = _lines(file, source)
    header = _header(lines, source) if lines[0].startswith(("@", "%")) else None
    rows = lines[header.lines :] if header else lines
    names = header.names if header else []
    _check_widths(rows, names, source)
    text = TextFormat(header=False, na_values=MISSING, keep_default_na=False)
    stream = io.BytesIO("\n".join(rows).encode())
    with TextTable(stream, source, text, ",") as table:
        if header:
            table.rename(names)
        table.refuse_larger(LARGEST_TABLE)
        (frame,) = table.chunks(as_text=header.nominal if header else ())
        names = table.names
    nominal = frozenset(name for name in frame if not is_numeric_dtype(frame[name]))
    for name in nominal.difference(header.nominal) if header else ():
        word = pd.to_numeric(frame[name], errors="coerce").isna() & frame[name].notna()
        raise DataError(
            f"{source}: column {name!r} is declared as numbers and holds "
            f"{frame[name][word].iloc[0]!r}."
        )
    label = header.output if header else names[-1]
    unused = [name for name in header.names if name not in header.inputs] if header else []
    label, features, apart = choose_columns(names, label, [*drop, *unused], aside or {}, source)
    written = vars(text) | {"header": bool(header)}
    layout = TableLayout(columns=tuple(names), label=label, **written)
    return RawTable(frame, features, layout, nominal, apart)


def _lines(file: Path, source: str) -> list[str]:
    """The lines of a file that are not empty, without blanks around them."""
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise DataError(f"{source}: has more than {LARGEST_FILE:,} bytes.")
        text = file.read_text("utf-8-sig")
    except OSError as error:
        raise DataError(f"{source}: cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{source}: is no UTF-8 text ({error.reason}).") from error
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise DataError(f"{source}: is an empty file.")
    return lines


def _header(lines: Sequence[str], source: str) -> DatHeader:
    names: list[str] = []
    nominal: list[str] = []
    listed: dict[str, list[str]] = {}
    last = next((i for i, line in enumerate(lines) if line.lower().startswith("@data")), None)
    if last is None:
        raise DataError(f"{source}: has no @data line, so no rows; is the file cut?")
    for line in lines[:last]:
        word = line.split(maxsplit=1)[0].lower()
        if word == "@attribute":
            found = ATTRIBUTE.fullmatch(line)
            if not found:
                raise DataError(f"{source}: {line[:60]!r} names no column and no type.")
            names.append(found[1].strip("'\""))
            nominal += [names[-1]] if found[2].startswith("{") else []
        elif word in {"@input", "@inputs", "@output", "@outputs"}:
            listed[word.rstrip("s")] = [n.strip(" '\"") for n in line[len(word) :].split(",")]
        elif not word.startswith(("@", "%")):
            raise DataError(f"{source}: {line[:60]!r} stands before @data; is the file cut?")
    if len(names) < 2:
        raise DataError(f"{source}: has {len(names)} @attribute lines; right are two at least.")
    refuse_repeated(names, source)
    (output,) = listed.get("@output", names[-1:])[:1]
    inputs = listed.get("@input", [name for name in names if name != output])
    for name in (*inputs, output):
        if name not in names:
            raise DataError(
                f"{source}: {name!r} is no @attribute; those are {shortened(names)}."
                f"{close_match(name, names)}"
            )
    return DatHeader(last + 1, names, nominal, inputs, output)


def _check_widths(rows: Sequence[str], names: Sequence[str], source: str) -> None:
    """Refuses rows with more or fewer cells than there are columns."""
    if not rows:
        raise DataError(f"{source}: has no rows of data; is the file cut?")
    width = len(names)
    for number, row in enumerate(csv.reader(rows, skipinitialspace=True), 1):
        width = width or len(row)
        if len(row) != width:
            raise DataError(
                f"{source}: row {number} of the data has {len(row)} cells, the "
                f"{'header' if names else 'first row'} {width}; is the file cut or damaged?"
            )
