"""Imported by the process that workers are copies of, so that all they need is loaded once.

A module that is missing here is imported by each worker when it needs it.
"""

from src.runs.import_tensorflow import import_tensorflow

import_tensorflow()

import src.engine.fit  # noqa: E402
import src.jobs.job  # noqa: E402
import src.runs.outputs  # noqa: E402
import src.tracking.logged_model  # noqa: E402
import src.tracking.mlflow_tracker  # noqa: E402, F401
