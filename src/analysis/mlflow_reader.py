"""Reads runs through MLflow: servers, databases other than SQLite, and search conditions."""

from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from src.analysis.sqlite_reader import class_facts, no_experiment
from src.analysis.stored import SWEEP_COMMAND, StoredRun
from src.errors import UserError
from src.tracking.store import PAGE, Store


class MlflowReader:
    """A store that MLflow opens; a thousand runs in one request.

    Args:
        root: folder of the SQLite store.
        uri: an address instead.

    Raises:
        UserError: where there is no store, or it cannot be reached.
    """

    def __init__(self, root: str, uri: str | None) -> None:
        self._store = Store.at(root, uri)
        self.address = self._store.uri

    def sweeps(self) -> list[StoredRun]:
        """The parent runs of all sweeps."""
        return self.matching(None, f"tags.`{SWEEP_COMMAND}` LIKE '%'")

    def children(self, sweep_id: str) -> list[StoredRun]:
        """All runs of a sweep: those it trained, and those that answered its jobs."""
        return self.matching(None, f"tags.`sweep.{sweep_id}` LIKE '%'")

    def matching(self, experiment: str | None, condition: str | None) -> list[StoredRun]:
        """Runs of one experiment, or all, that meet a condition in MLflow's search syntax."""
        found, token = [], None
        experiments = self._experiments(experiment)
        while True:
            try:
                page = self._store.client.search_runs(
                    experiments, condition or "", max_results=PAGE, page_token=token
                )
            except MlflowException as error:
                raise UserError(
                    f"--filter {condition}: {str(error).splitlines()[0]} Right is MLflow's search "
                    """syntax, such as "tags.data = 'digits' AND metrics.test_f1_macro > 0.5"."""
                ) from error
            found += page
            token = page.token
            if not token:
                return [_stored(run) for run in reversed(found)]

    def log(self, run_id: str, file: str) -> None:
        """Puts a file among a run's artifacts."""
        self._store.client.log_artifact(run_id, file)

    def _experiments(self, name: str | None) -> list[str]:
        known = {found.name: found.experiment_id for found in self._all_experiments()}
        if name is None:
            return list(known.values())
        if name not in known:
            raise no_experiment(name, list(known))
        return [known[name]]

    def _all_experiments(self) -> list:
        found, token = [], None
        while True:
            page = self._store.client.search_experiments(page_token=token)
            found += page
            token = page.token
            if not token:
                return found


def _stored(run: Run) -> StoredRun:
    datasets = [entry.dataset for entry in run.inputs.dataset_inputs] if run.inputs else []
    names, counts = class_facts(datasets[0].schema, datasets[0].profile) if datasets else ((), ())
    return StoredRun(
        run_id=run.info.run_id,
        name=run.info.run_name or "",
        status=run.info.status,
        experiment_id=run.info.experiment_id,
        artifacts=run.info.artifact_uri or "",
        ended_ms=run.info.end_time or 0,
        tags=dict(run.data.tags),
        params=dict(run.data.params),
        metrics=dict(run.data.metrics),
        class_names=names,
        class_counts=counts,
    )
