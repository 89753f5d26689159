"""Where the MLflow store lies; asked without importing MLflow."""

import os
from pathlib import Path

DATABASE = "mlflow.db"
ARTIFACTS = "artifacts"
URI_VARIABLE = "MLFLOW_TRACKING_URI"


def tracking_uri(root: str, uri: str | None) -> str:
    """The address of the store.

    Args:
        root: folder for ``mlflow.db`` and ``artifacts/``.
        uri: an address given in the config.

    Returns:
        ``MLFLOW_TRACKING_URI`` where it is set, else ``uri``, else the SQLite file in ``root``.
    """
    return os.environ.get(URI_VARIABLE) or uri or f"sqlite:///{Path(root).resolve() / DATABASE}"
