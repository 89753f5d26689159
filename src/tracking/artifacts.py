"""Brings files among a store's artifacts: at once where these lie on this machine, else by MLflow.

MLflow asks the store first where a run's artifacts are, which who opened the run knows already.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from mlflow.entities import Run
from mlflow.tracking import MlflowClient


def folder_at(uri: str) -> Path | None:
    """The folder behind an address of artifacts; None where a server or another machine has it."""
    parts = urlsplit(uri)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        return None
    return Path(url2pathname(parts.path))


def log_files(client: MlflowClient, run: Run, folder: Path, names: Sequence[str]) -> None:
    """Makes files artifacts of a run; those that are missing are left out.

    Args:
        client: of the store.
        run: whose they become.
        folder: holds the files.
        names: of the files.

    Raises:
        OSError: where a file cannot be read or written.
        MlflowException: where a server refuses one.
    """
    place = folder_at(run.info.artifact_uri)
    for name in names:
        if not (folder / name).exists():
            continue
        if place is None:
            client.log_artifact(run.info.run_id, str(folder / name))
        else:
            _copy(folder / name, place / name)


def _copy(file: Path, target: Path) -> None:
    """Copies in one step: who reads meanwhile sees the old file or the whole new one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(target.name + ".part")
    shutil.copy2(file, draft)
    draft.replace(target)
