"""A table cleaned once, and split as often as there are seeds."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from src.data.dataset import SPLITS, Dataset, Labels
from src.data.duplicates import DUPLICATES, DuplicateCounts, count_duplicates, number_rows
from src.data.errors import DataError, shortened
from src.data.splitting.leaks import warn_of_both_sides, warn_of_telling_columns
from src.data.splitting.marks import read_marks
from src.data.splitting.plan import Splitting
from src.data.splitting.rows import LabelledRows
from src.data.splitting.split import check_class_counts
from src.data.tabular.column_checks import clean_columns
from src.data.tabular.columns import TableLayout
from src.data.tabular.fit import fit_columns
from src.data.tabular.labels import encode_labels
from src.data.tabular.raw_table import RawTable
from src.errors import override

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Cleaning:
    """How a table is cleaned: the values of the keys of the same names under `data`.

    Attributes:
        missing: `impute` (by the median of the training rows, with a further column that is 1 where
            it was missing; missing text is a category) or `refuse`. A missing label always is.
        max_categories: the most different texts in a column before it counts as an identifier.
        drop_rare_classes: whether the rows of classes below `min_class_count` are left out, with a
            warning, instead of refusing the table.
        min_class_count: fewest rows of a class, at least 3, one for each split.
        duplicates: what becomes of rows with the same features: `group` keeps them in one split,
            `drop` leaves out those that an earlier row equals, label included, and groups the rest,
            `keep` splits each by itself.
    """

    missing: str = "impute"
    max_categories: int = 50
    drop_rare_classes: bool = False
    min_class_count: int = 3
    duplicates: str = "group"


@dataclass(frozen=True)
class CleanTable:
    """The rows of a table, ready to be split.

    Attributes:
        features: columns of float64 with NaN or of categories of text, n rows; those of numbers are
            views of the table as read.
        labelled: the labels of the rows, and what says how they are split.
        numbers: the same number where rows have the same features, int64, shape (n,).
        duplicates: how many rows are alike.
        missing: `impute` or `refuse`.
        layout: all columns of the source, used or not.
        name: of the table in comparisons and reports.
        family: tables cut from the same rows share it; empty for the name.
        licence: as the source states it; None where it states none.
        checked: kinds of splits in which what gives a label away was looked for.
    """

    features: pd.DataFrame
    labelled: LabelledRows
    numbers: NDArray[np.int64]
    duplicates: DuplicateCounts
    missing: str
    layout: TableLayout
    name: str
    family: str = ""
    licence: str | None = None
    checked: set[str] = field(default_factory=set)

    @classmethod
    def of(
        cls,
        raw: RawTable,
        how: Cleaning,
        *,
        name: str,
        source: str,
        family: str = "",
        licence: str | None = None,
    ) -> CleanTable:
        """Checks and cleans a table as read; for the arguments see the attributes.

        Raises:
            DataError: for a value, a column or a class that cannot be used.
        """
        layout = raw.layout
        labels, words = raw.frame[layout.label], layout.keep_default_na
        y, class_names = encode_labels(labels, source, words_are_missing=words)
        marks = read_marks(raw.frame, raw.aside, source, layout.number_format, raw.file_sizes)
        features = raw.feature_frame
        if how.drop_rare_classes:
            kept, y, class_names = _without_rare(y, class_names, how.min_class_count, source)
            features, marks = features[kept], marks.of_rows(kept)
        hint = " To leave such classes out, set data.drop_rare_classes=true."
        check_class_counts(y, class_names, how.min_class_count, source, hint)
        features = clean_columns(
            features,
            source,
            missing=how.missing,
            max_categories=how.max_categories,
            written=layout.number_format,
            nominal=raw.nominal,
        )
        logger.info("%s: read and cleaned, %d rows", source, len(y))
        numbers = number_rows(features)
        alike, repeated = count_duplicates(numbers, y, marks.part)
        if alike.duplicate_rows:
            by_column = raw.aside and how.duplicates == "group"  # which says what stays together
            logger.info(
                "%s: %d of %d rows have the features of an earlier row, %d rows have features that "
                "come with several labels%s",
                *(source, alike.duplicate_rows, len(y), alike.conflicting_rows),
                "" if by_column else f"; {DUPLICATES[how.duplicates]}",
            )
        if how.duplicates == "drop":
            kept = ~repeated
            features, y, numbers = features[kept], y[kept], numbers[kept]
            marks = marks.of_rows(kept)
            hint = " Rows that are the same count once; data.duplicates=keep counts them all."
            check_class_counts(y, class_names, how.min_class_count, source, hint)
        together = None if how.duplicates == "keep" else numbers
        labelled = LabelledRows(y, class_names, source, marks, together)
        return cls(features, labelled, numbers, alike, how.missing, layout, name, family, licence)

    def split(self, number: int, how: Splitting) -> Dataset:
        """Splits the rows and standardises them by the training split, and by no other.

        Args:
            number: of the split.
            how: the kind of split and its sizes.

        Returns:
            The data set, with its fitted `TablePreprocessing`.

        Raises:
            DataError: where a class is too small to be in every split.
        """
        labelled, source = self.labelled, self.labelled.source
        if not self.checked:
            part = labelled.marks.part
            seen = slice(None) if part is None else part != SPLITS.index("test")
            names = labelled.class_names
            warn_of_telling_columns(self.features[seen], labelled.y[seen], names, source)
        rows = labelled.split(number, how)
        if how.kind not in self.checked:
            self.checked.add(how.kind)
            warn_of_both_sides(rows, labelled.marks, self.numbers, how, source)
        unequal = how.kind != "random" or self.duplicates.duplicate_rows > 0
        train = self.features.iloc[rows[0]]
        fitted = fit_columns(train, missing=self.missing, source=source, layout=self.layout)
        x_train = fitted.transform(train)
        del train  # one split at a time is copied
        x_val, x_test = (fitted.transform(self.features.iloc[part]) for part in rows[1:])
        y_train, y_val, y_test = (labelled.y[part] for part in rows)
        return Dataset(
            x_train,
            y_train,
            x_val,
            y_val,
            x_test,
            y_test,
            class_names=labelled.class_names,
            feature_names=fitted.feature_names,
            name=self.name,
            source=source,
            preprocessing=fitted,
            estimand=how.estimand,
            split=how.kind,
            planned_rows=labelled.trained_rows(how) if unequal else None,
            duplicates=self.duplicates,
            family=self.family,
            licence=self.licence,
        )


def _without_rare(
    y: Labels, class_names: tuple[str, ...], least: int, source: str
) -> tuple[NDArray[np.bool_], Labels, tuple[str, ...]]:
    """Which rows belong to classes that are large enough, and these classes numbered from 0."""
    counts = np.bincount(y, minlength=len(class_names))
    rare = np.flatnonzero(counts < least)
    if not rare.size:
        return np.ones(len(y), bool), y, class_names
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
    return kept, np.searchsorted(large, y[kept]), tuple(class_names[k] for k in large)
