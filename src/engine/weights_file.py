"""Where a pretrained model's weights come from: a file, whose hash is part of a run, or Keras."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from src.errors import UserError

IMAGENET = "imagenet"


def sha256_of_weights(weights: str | None) -> str | None:
    """SHA-256 of the file that ``model.weights`` names, 64 hex digits; None where it names none.

    Raises:
        UserError: where there is no such file.
    """
    if weights in (None, IMAGENET):
        return None
    file = Path(str(weights)).expanduser()
    if not file.is_file():
        raise UserError(
            f"model.weights={weights}: no such file; right is imagenet, null, or a file with "
            "weights of the network without its top"
        )
    status = file.stat()
    return _sha256(file.absolute(), status.st_mtime_ns, status.st_size)


@lru_cache
def _sha256(file: Path, changed_ns: int, size: int) -> str:
    """The sum of a file that was last changed then and has so many bytes."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def one_download(weights: str | None) -> Iterator[None]:
    """Jobs that run at once wait for the one that downloads: Keras would read half a file.

    Args:
        weights: only those of ImageNet are downloaded.
    """
    with ExitStack() as holding:
        folder = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "models"
        if weights == IMAGENET:
            with suppress(OSError):  # where nothing can be written Keras downloads elsewhere
                folder.mkdir(parents=True, exist_ok=True)
                lock = holding.enter_context((folder / "imagenet.lock").open("w"))
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield
