"""Writes a model as a ``.keras`` file, at the price of writing it."""

from functools import cache
from pathlib import Path

import keras


def save(model: keras.Model, file: Path) -> None:
    """Writes the model; the file is what ``model.save`` makes of it.

    Args:
        model: built; compiled or not.
        file: ends in ``.keras``.
    """
    _look_up_once()
    model.save(file)


@cache
def _look_up_once() -> None:
    """Has Keras remember which names it leaves out where it walks through a model.

    They are what every layer, metric or optimizer has, so it makes one and looks at it. It means to
    keep them, but writes them down as ``saving_attr_skipset_...`` and looks for
    ``saving_attr_skiplist_...`` (3.15), so that it makes one for each part of each model, in which
    two fifths of the time go. The function is no public interface: without it nothing is done.
    """
    from keras.src.saving import saving_lib

    names_of = getattr(saving_lib, "get_attr_skipset", None)
    if callable(names_of):
        saving_lib.get_attr_skipset = cache(names_of)
