"""Data sets of OpenML by name or number, fetched, checked and cached by scikit-learn.

Source: Vanschoren et al. 2014, "OpenML: networked science in machine learning".
"""

from __future__ import annotations

import http.client
import json
import logging
import urllib.error
import urllib.request
import warnings
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import fetch_openml, get_data_home

from src.config.data_schema import OpenMLConfig
from src.data.dataset import Dataset
from src.data.errors import DataError, shortened
from src.data.latest import Latest
from src.data.parameters import checked_by
from src.data.splitting.plan import Splitting
from src.data.tabular.cells import texts_of
from src.data.tabular.clean_table import Cleaning, CleanTable
from src.data.tabular.columns import TableLayout
from src.data.tabular.limits import refuse_large
from src.data.tabular.raw_table import LARGEST_TABLE, RawTable, choose_columns
from src.errors import close_match, first_line, override

ALL_NAMES = "https://www.openml.org/api/v1/json/data/list/status/active"
LARGEST_LIST = 64 * 2**20
PATIENCE = 20
"""Seconds for the list of names, which only a message needs."""
NO_NETWORK = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)

latest = Latest[CleanTable]()
logger = logging.getLogger(__name__)


@checked_by(OpenMLConfig)
def openml(
    dataset: str | None = None,
    *,
    version: int | None = None,
    id: int | None = None,
    label: str | None = None,
    root: str | None = None,
    seed: int = 0,
    drop: Sequence[str | int] = (),
    max_categories: int = 200,
    **further: Any,
) -> Dataset:
    """Fetches a data set once, then reads, checks, splits and standardises it.

    Columns that OpenML calls nominal are categories, whatever their values look like; those that it
    calls row numbers or tells to ignore are left out.

    Args:
        dataset: its name, such as `credit-g`.
        version: of the name; None for the oldest that is active.
        id: its number, which says name and version.
        label: the column to predict; None for the one that OpenML names.
        root: folder of the cache; None for scikit-learn's own, `~/scikit_learn_data`.
        seed: number of the split.
        drop: columns to leave out, by name or index.
        max_categories: the most categories or texts of a column.
        further: values of :class:`Cleaning` and :class:`Splitting`.

    Returns:
        The data set; its `licence` is OpenML's.

    Raises:
        DataError: where there is no such data set, no network, or it cannot be used.
    """
    if (dataset is None) == (id is None):
        raise DataError(
            "data.name or data.id must say which data set of OpenML, as data.name=credit-g "
            "data.version=1 and data.id=31 do."
        )
    if id is not None and version is not None:
        raise DataError(f"data.version={version} cannot stand beside data.id, which says it.")
    keys = {"data.name": dataset, "data.version": version, "data.id": id}
    wanted = " ".join(override(key, value) for key, value in keys.items() if value is not None)
    splitting = Splitting.taken_from(further)
    how = Cleaning(max_categories=max_categories, **further)
    aside = splitting.columns

    def read() -> CleanTable:
        fetch = partial(
            fetch_openml,
            name=dataset,
            version=version or "active",
            data_id=id,
            data_home=root,
            target_column=label or "default-target",
            as_frame=True,
            parser="pandas",
        )
        with _named(wanted, dataset, root):
            # With pandas 3.1, scikit-learn 1.9 fails on categories that are numbers (its issue
            # 34892), so it is asked for the types of the columns, and then for the cells alone.
            typed = fetch(read_csv_kwargs={"nrows": 0})
            found = fetch(read_csv_kwargs={"dtype": {}})
        return _clean(found, {*typed.frame.select_dtypes("category")}, how, drop, aside)

    table = latest.get((wanted, label, root, [*drop], how, aside), read)
    return table.split(seed, splitting)


def _clean(
    found: Any,
    nominal: Collection[str],
    how: Cleaning,
    drop: Sequence[str | int],
    aside: Mapping[str, str | int],
) -> CleanTable:
    """A table of what scikit-learn gives, and of the names of the columns that hold categories."""
    source, targets = found.url, found.target_names
    if len(targets) != 1:
        named = shortened(targets) or "none"
        raise DataError(
            f"{source}: OpenML names {named} as the column to predict; set data.label=NAME to one "
            f"of {shortened([*targets, *found.feature_names])}."
        )
    frame = pd.concat([found.data, found.target], axis=1)
    refuse_large(len(frame), frame.shape[1], LARGEST_TABLE, source)
    numeric = {*frame.select_dtypes("number")} - {*nominal}
    text = frozenset(name for name in frame if name not in numeric)
    for name in text:
        codes, texts = texts_of(frame[name], name)
        # an empty text is where a row ends too early; a missing cell has code -1, the last
        frame[name] = np.array([*(value or None for value in texts), None], object)[codes]
    names = [*map(str, frame.columns)]
    label, features, apart = choose_columns(names, targets[0], drop, aside, source)
    layout = TableLayout(columns=tuple(names), label=label, na_values=("?",), keep_default_na=False)
    return CleanTable.of(
        RawTable(frame, features, layout, text, apart),
        how,
        name=found.details["name"],
        source=source,
        licence=found.details.get("licence"),
    )


@contextmanager
def _named(wanted: str, name: str | None, root: str | None) -> Iterator[None]:
    """Turns what scikit-learn, pandas or the network raise into one error, and logs warnings."""
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            yield
    except NO_NETWORK as error:
        raise DataError(
            f"{wanted}: OpenML cannot be reached ({error}). What was fetched before is read from "
            "the cache; data.root=FOLDER names another, such as one copied from a machine with a "
            "network."
        ) from error
    except OSError as error:
        raise DataError(
            f"{wanted}: cannot be cached or read: {error.filename or 'cache'}: "
            f"{error.strerror or error}. Make room, or choose another cache with data.root=FOLDER."
        ) from error
    except KeyError as error:
        missing = str(error.args[0])
        mend = "set data.label to a column" if "target_column" in missing else "it is not described"
        raise DataError(f"{wanted}: {missing}; {mend}.") from error
    except (ValueError, EOFError, zlib.error) as error:
        said = first_line(error).removeprefix("Error tokenizing data. C error: ")
        reason = said.partition(". ")[0].rstrip(".")
        if reason.endswith("found"):
            near = close_match(name.lower(), _all_names()) if name is not None else ""
            raise DataError(f"{wanted}: {reason}.{near}") from error
        raise DataError(
            f"{wanted}: cannot be used: {reason}. If it is damaged or cut, remove it from "
            f"{get_data_home(root)}/openml, and it is fetched anew."
        ) from error
    for text in dict.fromkeys(str(warning.message) for warning in warned):
        logger.warning("%s: %s", wanted, text)


def _all_names() -> list[str]:
    """The names of all active data sets; none where OpenML does not give them."""
    try:
        with urllib.request.urlopen(ALL_NAMES, timeout=PATIENCE) as answer:
            listed = json.loads(answer.read(LARGEST_LIST))
        return [one["name"].lower() for one in listed["data"]["dataset"]]
    except (*NO_NETWORK, OSError, ValueError, KeyError, TypeError):
        return []
