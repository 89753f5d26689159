"""The pictures of a folder: a folder for each class, or `train`, `val` and `test` above them."""

from __future__ import annotations

import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from src.data.dataset import SPLITS, Labels
from src.data.errors import DataError, shortened
from src.data.images.decode import SUFFIXES
from src.data.tabular.labels import class_order
from src.errors import override

TRAIN, VAL, TEST = SPLITS
SPLIT_FOLDERS = {TRAIN: TRAIN, VAL: VAL, "valid": VAL, "validation": VAL, TEST: TEST}
"""What folders of splits are called, in any case, and the split."""
NO_DATA = {"thumbs.db", "desktop.ini", "__macosx"}
"""What systems leave in folders, beside files whose names begin with a dot."""
MOST_NAMED = 10


@dataclass(frozen=True)
class PictureFolder:
    """The files of a folder of pictures; none of them was opened.

    Attributes:
        root: the folder.
        class_names: K names of folders: by size where all are numbers, else by alphabet.
        files: n paths from `root` on, with `/`, sorted by split, class and name.
        states: of each file, when it was last changed, in ns, and its bytes.
        y: class numbers, int64, shape (n,).
        part: the number of each file's split in `SPLITS`, int64, shape (n,); None where the folder
            has no folders of splits.
        foreign: files among them that are no pictures by their names, which are left out.
    """

    root: Path
    class_names: tuple[str, ...]
    files: tuple[str, ...]
    states: tuple[tuple[int, int], ...]
    y: Labels
    part: NDArray[np.int64] | None
    foreign: tuple[str, ...]


@dataclass(frozen=True)
class _Entry:
    path: Path
    is_folder: bool
    state: tuple[int, int]

    @property
    def name(self) -> str:
        return self.path.name


def read_folder(root: Path) -> PictureFolder:
    """Lists the pictures of a folder, and follows no link out of it.

    Raises:
        DataError: for a folder that is none, holds no folders, an empty class, folders within
            classes, names of classes that differ by case alone, or links that lead out of it.
    """
    given = override("data.root", str(root))
    if not root.is_dir():
        what = "is a file" if root.exists() else f"does not exist (looked from {Path.cwd()})"
        raise DataError(f"{given} {what}; it must name a folder with a folder for each class.")
    try:
        return _listed(root, given)
    except OSError as error:
        raise DataError(f"{error.filename or root}: cannot be read: {error.strerror}.") from error


def _listed(root: Path, given: str) -> PictureFolder:
    home = root.resolve()
    top = [*_entries(root, home)]
    folders = {entry.name: entry.path for entry in top if entry.is_folder}
    loose = [entry.name for entry in top if not entry.is_folder and _is_picture(entry.name)]
    if not folders:
        raise DataError(
            f"{given} holds no folders{f' but {len(loose)} pictures' if loose else ''}; right is a "
            "folder for each class, with its pictures, or train and test above such folders."
        )
    split_folders = _split_folders(folders, given)
    if loose and not split_folders:
        raise DataError(
            f"{given} holds pictures beside its class folders, such as {shortened(loose, 3)}; move "
            "each into the folder of its class."
        )
    classes = {
        split: {one.name: one.path for one in _entries(path, home) if one.is_folder}
        for split, path in (split_folders or {"": root}).items()
    }
    class_names = _class_names(classes, root)
    pictures: list[tuple[str, tuple[int, int], int, str]] = []
    foreign: list[str] = []
    empty: list[str] = []
    for split, inside in classes.items():
        for number, name in enumerate(class_names):
            entries = sorted(_entries(inside[name], home), key=lambda entry: entry.name)
            where = inside[name].relative_to(root).as_posix()
            _refuse_nested(entries, where, root)
            found = [entry for entry in entries if _is_picture(entry.name)]
            foreign += [f"{where}/{one.name}" for one in entries if not _is_picture(one.name)]
            empty += [] if found else [where]
            pictures += [(f"{where}/{one.name}", one.state, number, split) for one in found]
    if empty:
        raise DataError(
            f"{root}: no pictures ({', '.join(SUFFIXES)}) in the class folders {shortened(empty)}; "
            "fill them or remove them."
        )
    files, states, labels, splits = zip(*pictures, strict=True)
    numbers = [SPLITS.index(split) for split in splits] if split_folders else None
    return PictureFolder(
        root=root,
        class_names=class_names,
        files=files,
        states=states,
        y=np.array(labels, np.int64),
        part=None if numbers is None else np.array(numbers, np.int64),
        foreign=tuple(foreign),
    )


def _entries(folder: Path, home: Path) -> Iterator[_Entry]:
    """The entries of a folder but those of systems; links to files of `home` are followed."""
    outside = []
    with os.scandir(folder) as found:
        for entry in found:
            if entry.name.startswith(".") or entry.name.casefold() in NO_DATA:
                continue
            if entry.is_symlink():
                target = Path(entry.path).resolve()
                if not target.is_relative_to(home) or not target.is_file():
                    outside.append(entry.name)
                    continue
            status = entry.stat()
            state = status.st_mtime_ns, status.st_size
            yield _Entry(Path(entry.path), entry.is_dir(), state)
    if outside:
        raise DataError(
            f"{folder}: links that lead out of {home}, to a folder or nowhere are not followed: "
            f"{shortened(sorted(outside), MOST_NAMED)}. Put the files themselves there (cp "
            "--dereference)."
        )


def _split_folders(folders: dict[str, Path], given: str) -> dict[str, Path]:
    """The folders of splits, in the order of `SPLITS`; none where the folders are classes."""
    found = defaultdict(list)
    for name in sorted(folders):
        if name.casefold() in SPLIT_FOLDERS:
            found[SPLIT_FOLDERS[name.casefold()]].append(name)
    others = sorted(set(folders) - {name for names in found.values() for name in names})
    whole = TRAIN in found and TEST in found
    if not found or (others and not whole):
        return {}  # a class may be called train
    listed = ", ".join(f"{name}/" for split in SPLITS for name in found.get(split, ()))
    if not whole:
        inside = f"; {override('data.root', str(folders[found[TRAIN][0]]))} splits its pictures"
        raise DataError(
            f"{given} holds {listed}; right is train/ and test/, with val/ or without it"
            f"{inside if TRAIN in found else ''}."
        )
    if others or any(len(names) > 1 for names in found.values()):
        raise DataError(
            f"{given} holds {listed}{f' and beside them {shortened(others)}' if others else ''}; "
            "right is one folder each for train, val and test, and nothing else."
        )
    return {split: folders[found[split][0]] for split in SPLITS if split in found}


def _class_names(classes: dict[str, dict[str, Path]], root: Path) -> tuple[str, ...]:
    """The names of all classes: the same in every split, and different by more than case."""
    names = {*next(iter(classes.values()))}
    for split, inside in classes.items():
        odd = sorted(names ^ {*inside})
        if odd:
            raise DataError(
                f"{root}: {shortened(odd)} {'is' if len(odd) == 1 else 'are'} in one of "
                f"{next(iter(classes))}/ and {split}/ alone; every class needs a folder in each."
            )
    alike = defaultdict(list)
    for name in sorted(names):
        alike[unicodedata.normalize("NFC", name).casefold()].append(name)
    same = [shortened(group) for group in alike.values() if len(group) > 1]
    if same:
        raise DataError(
            f"{root}: class folders differ by case alone: {'; '.join(same)}. Merge them, or give "
            "them other names."
        )
    if len(names) < 2:
        raise DataError(
            f"{root}: holds one class, {shortened(names) or 'none'}; right are folders of at least "
            "two classes, each with its pictures."
        )
    return class_order(names)


def _refuse_nested(entries: Iterable[_Entry], where: str, root: Path) -> None:
    nested = sorted(entry.name for entry in entries if entry.is_folder)
    if nested:
        raise DataError(
            f"{root}: the class folder {where!r} holds folders, {shortened(nested, 3)}; the "
            "pictures of a class stand in one folder. Move them up, or name with data.root the "
            "folder whose folders are the classes."
        )


def _is_picture(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)
