"""Your own table: CSV, TSV, Parquet or NPZ, one column of it the label.

Example:
    `python train.py data=table data.path=mammography.csv data.label=-1 data.header=false`
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from src.config.data_schema import TableConfig
from src.data.dataset import Dataset, Labels
from src.data.duplicates import DUPLICATES, count_duplicates, number_rows
from src.data.errors import DataError, shortened
from src.data.parameters import checked_by, read_delimiter
from src.data.split import check_class_counts, stratified_split
from src.data.tabular.column_checks import clean_columns
from src.data.tabular.fit import fit_columns
from src.data.tabular.labels import encode_labels
from src.data.tabular.raw_table import RawTable
from src.data.tabular.text_format import TextFormat, words_of
from src.errors import override

LEAST_ROWS = 3

logger = logging.getLogger(__name__)


@checked_by(TableConfig)
def table(
    path: str,
    label: str | int = -1,
    *,
    header: bool = True,
    seed: int = 0,
    missing: str = "impute",
    drop: Sequence[str | int] = (),
    delimiter: str | None = None,
    encoding: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    na_values: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    keep_default_na: bool = True,
    max_categories: int = 50,
    drop_rare_classes: bool = False,
    min_class_count: int = LEAST_ROWS,
    duplicates: str = "group",
    val_fraction: float = 0.2,
    test_fraction: float = 0.2,
) -> Dataset:
    """Reads, checks, splits and standardises a table; text columns become one-hot.

    Args:
        path: a .csv, .tsv, .tab, .parquet or .npz file (with arrays x and y).
        label: the label column's name or index; negative counts from the end. A name wins over
            an index written as text.
        header: whether the first row of a text file holds names.
        seed: of the split.
        missing: `impute` (median of the training rows and a column that says where; missing text
            is a category) or `refuse`. A missing label is always refused.
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
        max_categories: the most different texts in a column before it counts as an identifier.
        drop_rare_classes: leaves the rows of classes below `min_class_count` out, with a warning,
            instead of refusing the table.
        min_class_count: fewest rows of a class, at least 3, one for each split.
        duplicates: what becomes of rows with the same features: `group` keeps them in one split,
            `drop` leaves out those that an earlier row equals, label included, and groups the rest,
            `keep` splits them like all others.
        val_fraction: share for validation.
        test_fraction: share for the test.

    Returns:
        The data set, with its fitted `TablePreprocessing`.

    Raises:
        DataError: for a file or a value that cannot be used.
    """
    file = Path(path).expanduser()
    source = str(path)
    text = TextFormat(
        header=header,
        delimiter=read_delimiter("data.delimiter", delimiter),
        encoding=encoding,
        decimal=decimal,
        thousands=thousands,
        na_values=words_of(na_values),
        keep_default_na=keep_default_na,
    )
    raw = RawTable.read(file, source, text, label=label, drop=drop)
    layout = raw.layout
    y, class_names = encode_labels(raw.frame[layout.label], source)
    features = raw.frame[raw.features]
    if drop_rare_classes:
        features, y, class_names = _without_rare(features, y, class_names, min_class_count, source)
    hint = " To leave such classes out, set data.drop_rare_classes=true."
    check_class_counts(y, class_names, min_class_count, source, hint)
    features = clean_columns(
        features,
        source,
        missing=missing,
        max_categories=max_categories,
        written=layout.number_format,
    )
    alike, repeated = count_duplicates(number_rows(features), y)
    if alike.duplicate_rows:
        logger.info(
            "%s: %d of %d rows have the features of an earlier row, %d rows have features that "
            "come with several labels; %s",
            *(source, alike.duplicate_rows, len(y), alike.conflicting_rows, DUPLICATES[duplicates]),
        )
    if duplicates == "drop":
        features, y = features[~repeated], y[~repeated]
        hint = " Rows that are the same count once; data.duplicates=keep counts them all."
        check_class_counts(y, class_names, min_class_count, source, hint)
    groups = None if duplicates == "keep" else number_rows(features)
    rows = stratified_split(
        y,
        class_names,
        source,
        seed,
        groups,
        val_fraction=val_fraction,
        test_fraction=test_fraction,
    )
    train = features.iloc[rows[0]]
    fitted = fit_columns(train, missing=missing, source=source, layout=layout)
    return Dataset.of_rows(
        fitted.transform(features),
        y,
        rows,
        class_names=class_names,
        feature_names=fitted.feature_names,
        name=file.stem,
        source=source,
        preprocessing=fitted,
        duplicates=alike,
    )


def _without_rare(
    features: pd.DataFrame, y: Labels, class_names: tuple[str, ...], least: int, source: str
) -> tuple[pd.DataFrame, Labels, tuple[str, ...]]:
    """The rows of the classes that are large enough, and these classes numbered anew."""
    counts = np.bincount(y, minlength=len(class_names))
    rare = np.flatnonzero(counts < least)
    if not rare.size:
        return features, y, class_names
    logger.warning(
        "%s: left out classes with fewer than %d rows: %s",
        source,
        least,
        ", ".join(f"{class_names[k]!r} ({counts[k]})" for k in rare),
    )
    large = np.flatnonzero(counts >= least)
    if not large.size:
        raise DataError(
            f"{source}: no class has {override('data.min_class_count', least)} rows; the largest "
            f"of {shortened(class_names)} has {counts.max()}."
        )
    kept = np.isin(y, large)
    renumbered = np.searchsorted(large, y[kept])
    return features[kept], renumbered, tuple(class_names[k] for k in large)
