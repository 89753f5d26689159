"""The SQLite file of a store, made in one step: it is whole, or it is not there.

MLflow makes its tables one migration after another. A process that died in between, or a second
one beside it, would leave a database that no later command can open.
"""

import fcntl
import glob
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from mlflow.tracking import MlflowClient
from sqlalchemy import make_url

from src.errors import UserError
from src.tracking.address import sqlite_uri

SQLITE = ("sqlite:///", "sqlite+pysqlite:///")
HEAD = b"SQLite format 3\0"
DRAFT = ".part-"


def database_file(uri: str) -> Path | None:
    """The file behind a store's address; None where it is no SQLite address."""
    return Path(make_url(uri).database or "") if uri.startswith(SQLITE) else None


def check_database(uri: str) -> None:
    """Refuses a file that is no SQLite database: MLflow would show SQLAlchemy's traceback.

    Raises:
        UserError: names the file.
    """
    file = database_file(uri)
    if file is None or not file.is_file():
        return
    with file.open("rb") as stream:
        head = stream.read(len(HEAD))
    if head not in (b"", HEAD):
        raise UserError(f"tracking store {uri}: cannot be used: {file} is no SQLite database")


def make_database(uri: str) -> None:
    """Makes the database where it is missing; processes that want it at once wait for one."""
    file = database_file(uri)
    if file is None or _is_there(file):
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with _only_one(file.parent):
        if _is_there(file):
            return
        for left in file.parent.glob(f"{glob.escape(file.name)}{DRAFT}*"):
            left.unlink()
        # MLflow keeps a store for each address, also where it failed, so no name comes twice
        draft = file.with_name(f"{file.name}{DRAFT}{time.time_ns()}")
        MlflowClient(sqlite_uri(draft)).search_experiments(max_results=1)
        draft.replace(file)


def log_ahead(uri: str) -> None:
    """Lets a SQLite store commit by one write to the disk instead of four, from now on.

    It is SQLite's write-ahead log, as safe as its journal, also where a process is killed; but the
    folder must be writable for a reader, too, so stores of a few runs keep the journal.
    """
    _tell(uri, "PRAGMA journal_mode=WAL")


def count_rows(uri: str) -> None:
    """Lets a SQLite store know how many rows its tables have, by which it plans its searches.

    The UI sorts 16,000 runs by a metric in half a second then, instead of ten.
    """
    _tell(uri, "ANALYZE")


def _tell(uri: str, statement: str) -> None:
    """Gives SQLite a statement; a store that is no SQLite database is left as it is."""
    file = database_file(uri)
    if file is not None:
        with closing(sqlite3.connect(file)) as connection, suppress(sqlite3.OperationalError):
            connection.execute(statement)  # refused where another process writes
            connection.commit()


def _is_there(file: Path) -> bool:
    return file.exists() and file.stat().st_size > 0


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Holds a folder's lock; the system frees it when the process ends, however that ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
