"""Decoded pictures on disk: a folder is decoded once for all processes and all commands.

The cache is `imbalance-lab/images` in `~/.cache`, or in the folder that `XDG_CACHE_HOME` names, or
the folder that `data.cache` names. Each entry is a folder, named by a SHA-256 over the pictures'
paths, sizes and times of change, how they are read, Pillow's version and the code that decodes.
A process that makes an entry removes the earlier ones of the same pictures, and all that were not
used for `DAYS` days. Entries may be removed by hand at any time, and are made again.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from src.data.errors import DataError
from src.errors import override

DAYS = 30
IMAGES, FACTS, LOCK = "images.npy", "facts.json", "lock"
MAKING = "making-"
OURS = re.compile(rf"[0-9a-f]{{64}}|{MAKING}.*")
"""Names of folders in the cache: of entries, and of those that were being made."""
SPARE = 64 * 2**20
"""Bytes that stay free on the disk."""

logger = logging.getLogger(__name__)


class ImageCache:
    """A cache of decoded pictures in a folder; None is the folder in the user's own cache."""

    def __init__(self, folder: str | None) -> None:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        self.folder = (
            Path(folder).expanduser() if folder else Path(home) / "imbalance-lab" / "images"
        )

    def get(
        self, key: str, owner: str, make: Callable[[Path], dict[str, Any]]
    ) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """An entry, made where it is not there; whoever else wants it meanwhile waits.

        Args:
            key: 64 hex digits, of all that the entry depends on.
            owner: the pictures, in whatever state: an entry takes the place of others of its owner.
            make: writes `IMAGES` into a folder, by `new_array`, and returns facts, as JSON.

        Returns:
            The images, memory-mapped and read-only, and the facts.

        Raises:
            DataError: where the cache cannot be written.
        """
        entry = self.folder / key
        try:
            found = _read_whole(entry)
            if found is None:
                with self._locked(owner):
                    if not _read_whole(entry):  # else another process made it
                        self._make(entry, owner, make)
                    found = _read(entry)
        except OSError as error:
            raise DataError(
                f"{error.filename or self.folder}: decoded pictures cannot be kept there: "
                f"{error.strerror}. {override('data.cache', 'FOLDER')} names another folder."
            ) from error
        return found

    def new_array(self, folder: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """The array of an entry, (n, H, W, C), to be filled by its `make`.

        Raises:
            DataError: where the disk has no room for it.
        """
        size, free = int(np.prod(shape, dtype=np.int64)), shutil.disk_usage(folder).free
        if size + SPARE > free:
            raise DataError(
                f"{self.folder}: {shape[0]:,} decoded pictures take {size / 1e9:,.1f} GB, and "
                f"{free / 1e9:,.1f} GB are free there. {override('data.cache', 'FOLDER')} names a "
                "folder on another disk; with data=image_folder a smaller data.image_size takes "
                "less."
            )
        return open_memmap(folder / IMAGES, mode="w+", dtype=np.uint8, shape=shape)

    def _make(self, entry: Path, owner: str, make: Callable[[Path], dict[str, Any]]) -> None:
        self._remove_old(owner)
        with tempfile.TemporaryDirectory(prefix=MAKING, dir=self.folder) as made:
            whole = Path(made) / "entry"
            whole.mkdir(mode=0o700)
            facts = make(whole)
            (whole / FACTS).write_text(json.dumps({"owner": owner, **facts}), encoding="utf-8")
            shutil.rmtree(entry, ignore_errors=True)  # a damaged one
            whole.rename(entry)

    def _remove_old(self, owner: str) -> None:
        """Removes entries of the same pictures, those long unused, and those never finished."""
        oldest = time.time() - DAYS * 24 * 3600
        for folder in self.folder.iterdir():
            if OURS.fullmatch(folder.name) and (
                folder.stat().st_mtime < oldest
                or not (folder / FACTS).is_file()
                or _facts(folder).get("owner") == owner
            ):
                shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _locked(self, owner: str) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                logger.info("%s: waiting, another process decodes pictures", owner)
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _read(entry: Path) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    os.utime(entry)  # it counts as used
    return np.load(entry / IMAGES, mmap_mode="r"), _facts(entry)


def _read_whole(entry: Path) -> tuple[NDArray[np.uint8], dict[str, Any]] | None:
    """An entry; None where it is missing or damaged."""
    try:
        return _read(entry)
    except (OSError, ValueError):
        return None


def _facts(entry: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((entry / FACTS).read_text(encoding="utf-8"))
    return found
