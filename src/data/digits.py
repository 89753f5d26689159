"""Handwritten digits, 8x8 pixels, that come with scikit-learn, made imbalanced.

Source: Alpaydin and Kaynak 1998, "Optical recognition of handwritten digits", UCI: 1,797 images,
174 to 183 of each of ten classes. Nothing is downloaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

from src.config.data_schema import DigitsConfig
from src.data.dataset import Dataset
from src.data.imbalance import imbalance
from src.data.parameters import checked_by
from src.data.splitting.plan import Splitting
from src.data.splitting.rows import LabelledRows

LARGEST_PIXEL = np.float32(16)


@checked_by(DigitsConfig)
def digits(
    seed: int = 0,
    *,
    profile: str = "step",
    imbalance_ratio: float = 10.0,
    rare_classes: Sequence[int | str] = (7, 8, 9),
    imbalance_test: bool = False,
    **split: Any,
) -> Dataset:
    """Ten digits as images of shape (8, 8, 1), pixel / 16, with some of the digits made rare.

    The balanced rows are split first. Then training and validation rows are left out to the
    profile; the test rows only where asked, because macro F1 over the handful of rare rows that
    would be left says little (about four per class at ratio 10).

    Args:
        seed: number of the split, and of the rows left out.
        profile: `step`, `longtail` or `none`.
        imbalance_ratio: rows of the largest class over rows of the rarest, at least 1.
        rare_classes: the rare digits; for `longtail` the end of the tail.
        imbalance_test: whether the test split gets the profile too.
        split: values of :class:`Splitting`, of which `split` is `auto`, `random` or `kfold`; shares
            are of the rows before some are left out.

    Returns:
        The data set, its classes named "0" to "9".

    Raises:
        DataError: for a value that cannot be used.
    """
    source, loaded = "sklearn.datasets.load_digits", load_digits()
    y = loaded.target.astype(np.int64)
    class_names = tuple(str(name) for name in loaded.target_names)
    chosen = imbalance(profile, imbalance_ratio, rare_classes, class_names)
    how = Splitting(**split)
    train, val, test = LabelledRows(y, class_names, source).split(seed, how)
    train, val = chosen.thin_training(y, train, seed), chosen.thin(y, val, seed)
    if imbalance_test:
        test = chosen.thin(y, test, seed)
    return Dataset.of_rows(
        loaded.images.astype(np.float32)[..., np.newaxis] / LARGEST_PIXEL,
        y,
        (train, val, test),
        class_names=class_names,
        name="digits",
        source=source,
        split=how.kind,
    )
