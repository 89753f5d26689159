"""A table of one's own: CSV, TSV, Parquet or NPZ, one column of it the label.

Example:
    `python train.py data=table data.path=mammography.csv data.label=-1 data.header=false`
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from src.config.data_schema import TableConfig
from src.data.dataset import Dataset
from src.data.latest import Latest, state_of
from src.data.parameters import checked_by, read_delimiter
from src.data.splitting.further_files import join_files
from src.data.splitting.plan import Splitting
from src.data.tabular.clean_table import Cleaning, CleanTable
from src.data.tabular.raw_table import RawTable
from src.data.tabular.text_format import TextFormat, words_of

latest = Latest[CleanTable]()


@checked_by(TableConfig)
def table(
    path: str,
    label: str | int = -1,
    *,
    header: bool = True,
    seed: int = 0,
    drop: Sequence[str | int] = (),
    delimiter: str | None = None,
    encoding: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    na_values: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    keep_default_na: bool = True,
    **further: Any,
) -> Dataset:
    """Reads, checks, splits and standardises a table; text columns become one-hot.

    Args:
        path: a .csv, .tsv, .tab, .parquet or .npz file (with arrays x and y).
        label: the label column's name or index; negative counts from the end. A name wins over
            an index written as text.
        header: whether the first row of a text file holds names.
        seed: number of the split.
        drop: columns to leave out, by name or index.
        delimiter: between the cells of a text file: comma, semicolon, tab, pipe, space or one
            character; None: as Excel's first line `sep=` says, else comma for .csv, tab for .tsv
            and .tab.
        encoding: of a text file; None: UTF-8, unless the file begins with a byte-order mark.
        decimal: before the fraction of a number, `.` or `,`; None finds it.
        thousands: between groups of three digits; None finds it.
        na_values: more words for missing cells, for all columns or by column.
        keep_default_na: whether pandas's words for missing cells (NA, None, null, ...) and `?`
            count; an empty cell always does.
        further: values of :class:`Cleaning` and :class:`Splitting`.

    Returns:
        The data set, with its fitted `TablePreprocessing`.

    Raises:
        DataError: for a file or a value that cannot be used.
    """
    splitting, how = Splitting.taken_from(further), Cleaning(**further)
    file, source = Path(path).expanduser(), str(path)
    text = TextFormat(
        header=header,
        delimiter=read_delimiter("data.delimiter", delimiter),
        encoding=encoding,
        decimal=decimal,
        thousands=thousands,
        na_values=words_of(na_values),
        keep_default_na=keep_default_na,
    )

    def read() -> CleanTable:
        raw = RawTable.read(file, source, text, label=label, drop=drop, aside=splitting.columns)
        if splitting.files:
            raw = join_files(raw, source, splitting.files, text)
        return CleanTable.of(raw, how, name=file.stem, source=source)

    files = [file, *(Path(path).expanduser() for path in splitting.files.values())]
    states = [(one.absolute(), state_of(one)) for one in files]
    key = (states, source, text, label, [*drop], how, splitting.columns, splitting.files)
    return latest.get(key, read).split(seed, splitting)
