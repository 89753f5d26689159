"""A table of one's own: CSV, TSV, Parquet or NPZ, one column of it the label.

Example:
    `python train.py data=table data.path=mammography.csv data.label=-1 data.header=false`
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from src.config.data_schema import TableConfig
from src.data.dataset import Dataset
from src.data.latest import Latest, state_of
from src.data.parameters import checked_by
from src.data.splitting.further_files import join_files
from src.data.splitting.plan import Splitting
from src.data.tabular.clean_table import Cleaning, CleanTable
from src.data.tabular.raw_table import RawTable
from src.data.tabular.text_format import TextFormat

latest = Latest[CleanTable]()


@checked_by(TableConfig)
def table(
    path: str,
    label: str | int = -1,
    *,
    seed: int = 0,
    drop: Sequence[str | int] = (),
    **further: Any,
) -> Dataset:
    """Reads, checks, splits and standardises a table; text columns become one-hot.

    Args:
        path: a .csv, .tsv, .tab, .parquet or .npz file (with arrays x and y).
        label: the label column's name or index; negative counts from the end. A name wins over
            an index written as text.
        seed: number of the split.
        drop: columns to leave out, by name or index.
        further: values of :class:`TextFormat`, :class:`Cleaning` and :class:`Splitting`.

    Returns:
        The data set, with its fitted `TablePreprocessing`.

    Raises:
        DataError: for a file or a value that cannot be used.
    """
    splitting, text = Splitting.taken_from(further), TextFormat.taken_from(further)
    how = Cleaning(**further)
    file, source = Path(path).expanduser(), str(path)

    def read() -> CleanTable:
        raw = RawTable.read(file, source, text, label=label, drop=drop, aside=splitting.columns)
        if splitting.files:
            raw = join_files(raw, source, splitting.files, text)
        return CleanTable.of(raw, how, name=file.stem, source=source)

    files = [file, *(Path(path).expanduser() for path in splitting.files.values())]
    states = [(one.absolute(), state_of(one)) for one in files]
    key = (states, source, text, label, [*drop], how, splitting.columns, splitting.files)
    return latest.get(key, read).split(seed, splitting)
