"""Brings a run folder into MLflow; run again, it changes nothing.

    python -m src.tracking.upload FOLDER [FOLDER ...]

A job's results are on disk before they are in the store, so a store that went away while it ran
costs nothing: this uploads what is missing.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from src.entry import guarded
from src.runs.recorded import record
from src.runs.recorded.record import RunRecord
from src.tracking import run_log
from src.tracking.process import NOT_THERE, end_run
from src.tracking.store import Store
from src.tracking.tracker import draw_if_wanted


def upload(folder: Path, store: Store | None = None, *, history: bool = True) -> str:
    """Makes the store hold everything of a finished run.

    Args:
        folder: the run's output folder, whole.
        store: where to; None opens the one that the run began in, or its config names.
        history: whether the epochs must be sent; False where they were logged live.

    Returns:
        The MLflow run id.

    Raises:
        UserError: where the folder holds no finished run, or the store cannot be used.
    """
    final = RunRecord.load(folder)
    draw_if_wanted(folder, final)
    known = _remembered(folder)
    store = store or Store.open(final.tracking | {"uri": known.get("uri") or final.tracking["uri"]})
    with store.needed():
        run = _existing_run(store, known.get("run_id"))
        if run is None:
            parent_id = known.get("parent_run_id") or None
            run = run_log.create_run(store, final.metadata, parent_id, final.started_ms)
            remember_run(folder, store.uri, run.info.run_id, parent_id)
            history = True
        run_id = str(run.info.run_id)
        if history and (folder / record.HISTORY).exists():
            rows = record.read_history(folder / record.HISTORY)
            run_log.log_rows(store, run_id, rows, final.metadata.params)
        model_id = None
        has_model = bool(run.outputs and run.outputs.model_outputs)
        if final.tracking["log_model"] and not has_model and (folder / record.MODEL).exists():
            from src.tracking.logged_model import log_model

            model_id = log_model(store.client, run, folder, final.metadata.params)
        run_log.log_results(store, run_id, folder, final, model_id)
        end_run(store.client, run_id, "FINISHED", final.ended_ms)
    return run_id


def remember_run(folder: Path, uri: str, run_id: str, parent_id: str | None) -> None:
    """Notes in the folder which MLflow run is its own, and that of its sweep."""
    ids = {"uri": uri, "run_id": run_id, "parent_run_id": parent_id or ""}
    record.write_json(folder / record.MLFLOW, ids)


def _remembered(folder: Path) -> dict[str, str]:
    file = folder / record.MLFLOW
    content: dict[str, str] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    return content


def _existing_run(store: Store, run_id: str | None) -> Run | None:
    if not run_id:
        return None
    try:
        run: Run = store.client.get_run(run_id)
    except MlflowException as error:
        if error.error_code != NOT_THERE:  # a store that fails may well have it
            raise
        return None
    return run if run.info.lifecycle_stage == "active" else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Uploads the folders named on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m src.tracking.upload",
        description="Upload finished runs to MLflow; again changes nothing.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Examples:\n  python -m src.tracking.upload multirun/DATE/TIME/0\n"
        "  python -m src.tracking.upload multirun/DATE/TIME/*",
    )
    parser.add_argument("folder", nargs="+", type=Path, help="output folder of a job")
    for folder in parser.parse_args(arguments).folder:
        print(f"{folder}: run {upload(folder)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(guarded(main))
