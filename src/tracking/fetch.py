"""Finished runs, their models, and the files of both, fetched from a store."""

from pathlib import Path

from mlflow.artifacts import download_artifacts
from mlflow.entities import LoggedModel, Run
from mlflow.exceptions import MlflowException

from src.errors import UserError
from src.runs.recorded import record
from src.tracking.store import Store


def finished_run(store: Store, run_id: str, of_a_sweep: str) -> Run:
    """A finished training run; an error for the id of a sweep ends in ``of_a_sweep``.

    Raises:
        UserError: where there is no such run, or it is not finished.
    """
    try:
        run = store.client.get_run(run_id)
    except MlflowException as error:
        raise UserError(
            f"run {run_id}: not in {store.uri}; right is a run id as the MLflow UI shows it"
        ) from error
    if "identity" not in run.data.tags:
        raise UserError(f"run {run_id}: is no training run; {of_a_sweep}")
    if run.info.status != "FINISHED":
        raise UserError(f"run {run_id}: is {run.info.status}; only a finished run has a record")
    return run


def model_of(store: Store, run: Run) -> LoggedModel | None:
    """The model that a run logged; None where it logged none."""
    if not (run.outputs and run.outputs.model_outputs):
        return None
    return store.client.get_logged_model(run.outputs.model_outputs[0].model_id)


def record_of(store: Store, run: Run, folder: str) -> Path:
    """Fetches the record of a finished run; of one that keeps scores alone the config, from a tag.

    Raises:
        UserError: where that fails.
    """
    config = run.data.tags.get(record.CONFIG)
    if config is None:
        return download(store, f"runs:/{run.info.run_id}/", folder)
    (Path(folder) / record.CONFIG).write_text(config, encoding="utf-8")
    return Path(folder)


def download(store: Store, uri: str, folder: str | None = None) -> Path:
    """Fetches files into a folder; None leaves those of a local store where they are.

    Raises:
        UserError: where that fails.
    """
    try:
        return Path(download_artifacts(uri, dst_path=folder, tracking_uri=store.uri))
    except (MlflowException, OSError) as error:
        raise UserError(f"{uri}: its files cannot be fetched: {error}") from error
