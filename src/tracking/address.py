"""Where the MLflow store lies; asked without importing MLflow."""

import os
from collections.abc import Callable
from pathlib import Path

DATABASE = "mlflow.db"
ARTIFACTS = "artifacts"
URI_VARIABLE = "MLFLOW_TRACKING_URI"
USUAL = Path("mlruns")
ROOT_HELP = "folder of the store (mlruns here, else the project's)"


def usual_root() -> str:
    """The folder of the store where none is named: here, or the project's where none is here."""
    own = Path(__file__).resolve().parents[2] / USUAL
    return str(USUAL if USUAL.is_dir() or not own.is_dir() else own)


def add_store(add: Callable[..., object], metavar: str | None = None) -> None:
    """Adds ``--root`` and ``--uri`` by the ``add_argument`` of a parser or of a group in it."""
    add("--root", metavar=metavar, default=usual_root(), help=ROOT_HELP)
    add("--uri", help="address of the store; MLFLOW_TRACKING_URI wins where it is set")


def tracking_uri(root: str, uri: str | None) -> str:
    """``MLFLOW_TRACKING_URI`` where it is set, else ``uri``, else the SQLite file in ``root``."""
    return os.environ.get(URI_VARIABLE) or uri or sqlite_uri(Path(root).resolve() / DATABASE)


def sqlite_uri(file: Path) -> str:
    """The address of a database's file, whose path is absolute."""
    if not {"?", "%"} & set(str(file)):
        return f"sqlite:///{file}"
    from sqlalchemy import URL

    # In an address ? and % are written as %3F and %25. Without the driver's name MLflow would make
    # a folder of the name as it is written there.
    return URL.create("sqlite+pysqlite", database=str(file)).render_as_string()
