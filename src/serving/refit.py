"""Saves the estimator of a run: no run keeps it, so it is fitted again from the record."""

import shutil
import tempfile
from pathlib import Path

from mlflow.entities import LoggedModel, Run

from src.errors import UserError
from src.runs.for_serving import save_example, serving_facts
from src.runs.recorded import record
from src.runs.recorded.record_reader import read_record
from src.runs.recorded.rerun import refit
from src.saved_model.estimator_file import save_estimator
from src.tracking.fetch import download
from src.tracking.logged_model import log_model
from src.tracking.store import Store


def is_estimator(run: Run) -> bool:
    """Whether a run fitted an estimator, which is not saved with it."""
    return bool(run.data.tags.get("run.kind") == "reference")


def fit_and_save(store: Store, run: Run) -> LoggedModel:
    """Fits the estimator of a run again, and logs it as the run's model.

    Raises:
        UserError: where it cannot be fitted as recorded, or comes out otherwise.
    """
    run_id = run.info.run_id
    if record.DETAIL_TAG in run.data.tags:
        raise UserError(
            f"run {run_id}: kept its scores alone; run it again with tracking.detail=full "
            "force=true"
        )
    with tempfile.TemporaryDirectory() as draft:
        kept = download(store, f"runs:/{run_id}/", f"{draft}/kept")
        recorded = read_record(
            kept,
            run_id=run_id,
            name=str(run.info.run_name),
            tags=run.data.tags,
            metrics=run.data.metrics,
            model=None,
        )
        dataset, fitted = refit(recorded)
        folder = Path(draft) / "fitted"
        folder.mkdir()
        serving_facts(dataset, fitted.metrics).save(folder)
        shutil.copyfile(kept / record.CARD, folder / record.CARD)
        save_example(folder, dataset)
        save_estimator(folder / record.ESTIMATOR, fitted.estimator)
        model_id = log_model(store.client, run, folder, run.data.params)
    return store.client.get_logged_model(model_id)
