"""Splits by time: train before validation before test, from several origins."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.data.errors import DataError
from src.data.splitting.plan import Splitting
from src.data.splitting.split import Rows
from src.errors import override


def cuts_of_origin(how: Splitting, origin: int) -> list[float]:
    """Where train, validation and test begin, and the test ends, as shares of all rows.

    As in scikit-learn's `TimeSeriesSplit`, the tests follow each other up to the last row, and all
    rows before a test are for training and validation. Origin 0 has the latest test. Validation is
    the same part of the rows before a test for every origin.

    Raises:
        DataError: where there is no room for so many origins.
    """
    if how.val_fraction + how.test_fraction >= 1:
        raise DataError(
            f"data.val_fraction={how.val_fraction}, data.test_fraction={how.test_fraction}: no row "
            "is left to train on; their sum must be below 1."
        )
    if how.origins * how.test_fraction >= 1:
        most = int((1 - 1e-9) / how.test_fraction)
        raise DataError(
            f"data.origins={how.origins}, data.test_fraction={how.test_fraction}: so many tests "
            f"leave no row before the first; right is {override('data.origins', most)} or fewer, "
            "or a smaller data.test_fraction."
        )
    end = 1 - origin * how.test_fraction
    begin = end - how.test_fraction
    return [0.0, begin * (1 - how.val_fraction / (1 - how.test_fraction)), begin, end]


def cut_by_time(
    time: NDArray[Any], shares: Sequence[float], source: str, column: str
) -> list[Rows]:
    """Rows between cuts, in the order of their times; rows of equal times stay together.

    `time` has shape (n,); `shares`, ascending, are the parts of all rows before each cut.

    Returns:
        Row numbers between each cut and the next, int64.

    Raises:
        DataError: where there are too few different times.
    """
    order = np.argsort(time, kind="stable")
    changes = np.flatnonzero(np.diff(time[order])) + 1
    starts = np.array([0, *changes, len(time)])
    cuts = [int(starts[np.argmin(np.abs(starts - share * len(time)))]) for share in shares]
    if not all(first < last for first, last in pairwise(cuts)):
        raise DataError(
            f"{source}: {column} has {len(changes) + 1} different times in {len(time)} rows, and "
            "rows of the same time stay together, which leaves a split without rows; set fewer "
            "data.origins or larger fractions."
        )
    return [order[first:last] for first, last in pairwise(cuts)]
