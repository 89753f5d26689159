"""Imports all that a job needs, for a process that workers are copied from.

Such a process computes nothing: TensorFlow starts its threads with the first operation, and a copy
of a process has none of its threads. Ctrl-C is for the process that opened the sweep.
"""

import signal
from importlib import import_module

from src.runs.import_tensorflow import import_tensorflow

NEEDED = (
    "mlflow.store.tracking.sqlalchemy_store",
    "src.tracking.logged_model",
    "src.tracking.plots",
    "src.tracking.store",
    "src.tracking.upload",
    "src.engine.board",
    "src.evaluation.scores",
    "src.engine.fit",
    "src.job",
    "src.runs.outputs",
    "src.evaluation.validation",
)
"""What is imported on the way to the end of a run."""

signal.signal(signal.SIGINT, signal.SIG_IGN)
import_tensorflow()
for name in NEEDED:
    import_module(name)
