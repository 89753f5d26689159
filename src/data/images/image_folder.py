"""Your own pictures: a folder for each class, or train, val and test above such folders.

Example:
    `python train.py data=image_folder data.root=FOLDER model=cnn`
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import PIL

from src.config.image_schema import ImageFolderConfig
from src.data.dataset import Dataset
from src.data.errors import DataError, shortened
from src.data.images import decode, reading
from src.data.images.cache import ImageCache
from src.data.images.folder import PictureFolder, read_folder
from src.data.images.pictures import Pictures, Profile, with_given_splits
from src.data.images.preprocessing import ImagePreprocessing
from src.data.latest import Latest
from src.data.parameters import checked_by
from src.data.splitting.plan import RowMarks, Splitting
from src.errors import override

AUTO = "auto"
MOST_NAMED = 10

latest, latest_split = Latest[Pictures](), Latest[Dataset]()
logger = logging.getLogger(__name__)


@checked_by(ImageFolderConfig)
def image_folder(
    root: str,
    seed: int = 0,
    *,
    image_size: str | Sequence[int] = AUTO,
    color: str = AUTO,
    damaged: str = "refuse",
    duplicates: str = "group",
    memory_share: float = 0.25,
    cache: str | None = None,
    **further: Any,
) -> Dataset:
    """Reads the pictures of a folder, PNG, JPEG, BMP or GIF; its folders are the classes.

    Args:
        root: the folder.
        seed: of the split, and of the pictures left out.
        image_size: height and width that pictures are brought to; `auto` as
            :func:`src.data.images.reading.find_look` finds it.
        color: `grayscale`, `rgb`, or `auto`: rgb where a single picture has colours.
        damaged: `refuse` or `skip` files that are no pictures or cannot be read.
        duplicates: `group` keeps pictures with the same pixels in one split, `drop` leaves out
            those that equal an earlier one, class included, `keep` splits them like all others.
        memory_share: of the memory that this process may have; decoded pictures that take more
            stay on disk and are read batch by batch.
        cache: folder where decoded pictures are kept; None for the user's own cache.
        further: values of :class:`Splitting` and :class:`Profile`; the split `given` takes the
            folders train/, val/ (or a part of train/) and test/; `random`, `group` and `kfold`
            split all pictures. `auto` is `given` where the folder has these folders, else `group`
            where that key is set, else `random`. `group` is a regular expression; what its brackets
            find in a picture's path, from the folder on, names the group that stays in one split.

    Returns:
        The data set; its `test_ids` are paths from the folder on.

    Raises:
        DataError: for a folder, a picture or a value that cannot be used.
    """
    folder = read_folder(Path(root).expanduser())
    how, profile = Splitting.taken_from(further), Profile(**further)
    how = with_given_splits(how, folder.part, root)
    if how.kind == "group" and how.group is None:
        raise DataError(
            "data.split=group needs data.group=PATTERN, whose brackets find in a picture's path "
            "what names its group, such as 'data.group=\"(patient[0-9]+)_\"'."
        )
    asked = {"size": _size(image_size), "color": None if color == AUTO else color}

    def read() -> Pictures:
        kept = ImageCache(cache)
        return _read(folder, root, asked, kept, damaged=damaged, duplicates=duplicates)

    files = folder.files, folder.states, folder.foreign
    key = (files, root, damaged, duplicates, str(asked), cache)
    pictures = latest.get(key, read)
    if how.group is not None:
        pictures = pictures.grouped(str(how.group))
    return latest_split.get(
        (key, seed, how, profile, memory_share),
        lambda: pictures.split(seed, how, profile, memory_share=memory_share),
    )


def _read(
    folder: PictureFolder,
    source: str,
    asked: dict[str, Any],
    cache: ImageCache,
    *,
    damaged: str,
    duplicates: str,
) -> Pictures:
    """The decoded pictures of a folder, from the cache where it has them."""
    if folder.foreign:
        _refuse_or_warn(damaged, source, [f"{name}: is no picture" for name in folder.foreign])

    def make(entry: Path) -> dict[str, Any]:
        paths = [folder.root / name for name in folder.files]
        size, color = reading.find_look(paths, source, **asked)
        shape = ImagePreprocessing(source, size, color).input_shape
        logger.info("%s: decoding %d pictures to %d x %d x %d", source, len(paths), *shape)
        images = cache.new_array(entry, (len(paths), *shape))
        found = reading.decode_all(paths, images, source, size=size, color=color)
        return {"size": size, "color": color, **found}

    code = [sha256(Path(str(one.__file__)).read_bytes()).hexdigest() for one in (decode, reading)]
    where = str(folder.root.resolve())
    parts = [where, asked, folder.files, folder.states, PIL.__version__, code]
    key = sha256(json.dumps(parts).encode()).hexdigest()
    images, facts = cache.get(key, f"{where} {json.dumps(asked)}", make)
    broken = {int(row): problem for row, problem in facts["damaged"].items()}
    if broken:
        _refuse_or_warn(damaged, source, [*broken.values()])
    for what, rows in facts["converted"].items():
        names = shortened([folder.files[row] for row in rows], 3)
        logger.warning(
            "%s: %d of %d pictures are %s: %s", source, len(rows), len(folder.files), what, names
        )
    usable = np.setdiff1d(np.arange(len(folder.files)), [*broken])
    hashes = np.array(facts["hashes"], np.uint64)[usable]
    pictures = Pictures(
        images=images,
        rows=usable,
        y=folder.y[usable],
        class_names=folder.class_names,
        files=tuple(folder.files[row] for row in usable),
        marks=RowMarks(part=folder.part).of_rows(usable),
        numbers=np.unique(hashes, return_inverse=True)[1].astype(np.int64),
        duplicates=duplicates,
        name=folder.root.resolve().name,
        source=source,
        preprocessing=ImagePreprocessing(
            source, (facts["size"][0], facts["size"][1]), facts["color"]
        ),
    )
    pictures.tell_duplicates()
    return pictures


def _size(image_size: str | Sequence[int]) -> tuple[int, int] | None:
    if isinstance(image_size, str):
        return None
    height, width = image_size
    return height, width


def _refuse_or_warn(damaged: str, source: str, problems: Sequence[str]) -> None:
    """Names the first files that cannot be used, and says how many there are."""
    listed = "\n  ".join(problems[:MOST_NAMED])
    more = f"\n  and {len(problems) - MOST_NAMED:,} more" if len(problems) > MOST_NAMED else ""
    count = f"{len(problems):,} file{'' if len(problems) == 1 else 's'}"
    if damaged == "refuse":
        raise DataError(
            f"{source}: {count} cannot be used:\n  {listed}{more}\nMend or remove "
            f"them, or leave them out with {override('data.damaged', 'skip')}"
        )
    logger.warning("%s: left out %s:\n  %s%s", source, count, listed, more)
