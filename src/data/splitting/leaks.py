"""What can give the label of a test row away, told by name before anything is trained.

Source: Kapoor and Narayanan 2023, "Leakage and the reproducibility crisis in machine-learning-based
science": no clean separation of training and test, and features that stand for the label.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from src.data.dataset import SPLITS, Labels
from src.data.errors import shortened
from src.data.splitting.plan import RowMarks, Splitting
from src.data.splitting.split import Rows, stratified_subset
from src.errors import override

TELLING = 0.999
"""Area under the ROC curve of one column alone, above which it may be the label by another name."""
MOST_ROWS, MOST_CELLS, FEWEST_ROWS = 20_000, 20_000_000, 1_000
"""Of a long table so many rows are looked at; of a wide one so many cells, and rows at least."""

logger = logging.getLogger(__name__)


def warn_of_telling_columns(
    features: pd.DataFrame, y: Labels, class_names: tuple[str, ...], source: str
) -> None:
    """Names the columns of which each alone tells a class from all others.

    `features` are n rows as `clean_columns` returns them, without the test where it is given; `y`
    are their class numbers, int64, shape (n,).
    """
    found = [*_telling(features, y, len(class_names))]
    shown = [f"{name!r} (class {class_names[k]!r}, AUC {area:.4f})" for name, k, area in found[:5]]
    if found:
        logger.warning(
            "%s: one column alone tells a class from all others: %s%s. If it is the label by "
            "another name, or is known only when the label is, leave it out with %s",
            source,
            ", ".join(shown),
            f" and {len(found) - 5} more" if len(found) > 5 else "",
            override("data.drop", [name for name, _, _ in found[:20]]),
        )


def _telling(
    features: pd.DataFrame, y: Labels, num_classes: int
) -> Iterator[tuple[str, int, float]]:
    """Name, class and area of each column with an area above `TELLING`."""
    most = max(min(MOST_CELLS // features.shape[1], MOST_ROWS), FEWEST_ROWS)
    if len(y) > most:
        rows = stratified_subset(y, most, num_classes, seed=0)
        features, y = features.iloc[rows], y[rows]
    counts = np.bincount(y, minlength=num_classes)
    for name in features:
        column = features[name]
        if pd.api.types.is_numeric_dtype(column):
            numbers = column.to_numpy(np.float64)
            areas = _areas(np.where(np.isnan(numbers), -np.inf, numbers), y, num_classes)
        else:
            areas = _areas_of_categories(column.cat.codes.to_numpy(np.int64) + 1, y, num_classes)
        best = max(range(num_classes), key=lambda k: (round(float(areas[k]), 9), -counts[k]))
        if areas[best] > TELLING:
            yield str(name), best, float(areas[best])


def _areas(values: NDArray[np.float64], y: Labels, num_classes: int) -> NDArray[np.float64]:
    """Area under the ROC curve of each class against all others, in the better direction."""
    counts = np.bincount(y, minlength=num_classes)
    sums = np.bincount(y, rankdata(values), num_classes)
    pairs = np.maximum(counts * (len(y) - counts), 1)
    areas = (sums - counts * (counts + 1) / 2) / pairs
    return np.where(counts > 0, np.maximum(areas, 1 - areas), 0.0)


def _areas_of_categories(
    codes: NDArray[np.int64], y: Labels, num_classes: int
) -> NDArray[np.float64]:
    """The same for categories: ordered by the share of a class in one half, judged in the other."""
    order = np.argsort(y, kind="stable")
    known, judged = order[::2], order[1::2]
    counts = np.zeros((codes.max() + 1, num_classes))
    np.add.at(counts, (codes[known], y[known]), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    scores = shares[codes[judged]]
    return np.array([_areas(scores[:, k], y[judged], num_classes)[k] for k in range(num_classes)])


def warn_of_both_sides(
    parts: Sequence[Rows], marks: RowMarks, numbers: NDArray[np.int64], how: Splitting, source: str
) -> None:
    """Names groups, and copies of rows, that are in more than one of the splits.

    `parts` are row numbers of train, validation and test; `numbers`, int64 of shape (n,), are the
    same where rows have the same features.
    """
    train, val, test = parts
    seen = np.concatenate([train, val])
    if marks.group is not None:
        shared = np.union1d(
            np.intersect1d(marks.group[test], marks.group[seen]),
            np.intersect1d(marks.group[train], marks.group[val]),
        )
        if shared.size:
            logger.warning(
                "%s: %d of %d groups of %s are in more than one of train, validation and test, "
                "such as %s, so scores say how well known groups are recognised, not new ones%s",
                source,
                len(shared),
                len(marks.group_names),
                override("data.group", how.group),
                shortened((marks.group_names[k] for k in shared), 5),
                "" if how.kind == "given" else "; data.split=group keeps each in one",
                extra={"once": f"groups of {source}"},
            )
    copies = np.isin(numbers[test], numbers[seen])
    if copies.any() and how.kind not in ("random", "kfold"):
        row = test[int(np.argmax(copies))]
        in_file = np.asarray(marks.row)
        other = seen[int(np.argmax(numbers[seen] == numbers[row]))]
        logger.warning(
            "%s: %d of %d test rows have the features of rows in other splits, such as row %d%s "
            "and row %d%s; data.duplicates=drop leaves out those that have the same label, too",
            source,
            *(np.count_nonzero(copies), len(test)),
            *(in_file[row], _file(how, 2)),
            *(in_file[other], _file(how, 1 if np.isin(other, val) else 0)),
            extra={"once": f"copies in {source}"},
        )


def _file(how: Splitting, part: int) -> str:
    """Which file a row of train, validation or the test is in, where there are several."""
    key = f"{SPLITS[part]}_path"
    return f" of data.{key if key in how.files else 'path'}" if how.files else ""
