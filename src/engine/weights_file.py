"""Which file a model's weights come from: its hash is part of what a run is."""

import hashlib
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
