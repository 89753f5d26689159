"""The MLflow store: where it lies, and the questions that a run asks of it."""

import gc
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow.entities import Experiment, Run
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from src.errors import UserError, first_line, is_store_failure
from src.tracking.address import ARTIFACTS, URI_VARIABLE, tracking_uri
from src.tracking.card_note import NOTE
from src.tracking.database import check_database, database_file, make_database
from src.tracking.ui_views import EXPERIMENT_NOTE, REPLACED, save_views

SWEEP_COMMAND = "sweep.command"
"""Tag that only the parent run of a sweep has."""
PAGE = 1000
"""Runs or experiments in one answer of the store."""


@dataclass(frozen=True)
class Store:
    """A client and the experiment that runs go into.

    Attributes:
        uri: the store's address.
        client: talks to it.
        experiment_id: where new runs go; empty in a store that was opened for reading.
    """

    uri: str
    client: MlflowClient
    experiment_id: str = ""

    @classmethod
    def open(cls, tracking: Mapping[str, Any]) -> "Store":
        """Opens the store of a resolved ``tracking`` node; makes what is missing of it.

        Raises:
            UserError: where the store cannot be reached or written.
        """
        uri = tracking_uri(tracking["root"], tracking["uri"])
        check_database(uri)
        artifacts = None
        with _reached(uri, "tracking=none goes without"):
            if database_file(uri):
                root = Path(tracking["root"]).resolve()
                root.mkdir(parents=True, exist_ok=True)
                artifacts = (root / ARTIFACTS).as_uri()
                make_database(uri)
            client = _client(uri)
            return cls(uri, client, _experiment_id(client, tracking["experiment"], artifacts))

    @classmethod
    def at(cls, root: str, uri: str | None) -> "Store":
        """Opens a store that is there already, for reading.

        Raises:
            UserError: where there is no store, or it cannot be reached.
        """
        address = tracking_uri(root, uri)
        file = database_file(address)
        if file and not file.exists():
            raise UserError(f"{file}: there is no store yet; python train.py makes the first run")
        check_database(address)
        with _reached(address, "--root names a folder"):
            client = _client(address)
            client.search_experiments(max_results=1)
        return cls(address, client)

    def needed(self) -> AbstractContextManager[None]:
        """Turns a failure of the store into one clear error, for steps that cannot do without it.

        The context raises `UserError` where the store answers no longer.
        """
        return _reached(self.uri, "tracking=none goes without")

    def finished(self, identity: str) -> Run | None:
        """The latest finished run with an identity, in any experiment."""
        (name,) = identity_tag(identity)
        condition = f"tags.`{name}` LIKE '%' AND attributes.status = 'FINISHED'"
        return self._latest(condition, "start_time")

    def replace(self, identity: str, run_id: str) -> None:
        """Marks earlier runs of an identity, so that the latest alone is shown among all runs."""
        (name,) = identity_tag(identity)
        for run in self.search(f"tags.`{name}` LIKE '%' AND attributes.run_id != '{run_id}'"):
            self.client.set_tag(run.info.run_id, REPLACED, run_id)

    def children(self, parent_id: str) -> list[Run]:
        """All runs of a sweep, oldest first: those it trained, and those that answered its jobs."""
        return self.search(f"tags.`sweep.{parent_id}` LIKE '%'")

    def sweep(self, wanted: str | None = None, *, ended: bool = False) -> Run | None:
        """The parent run of the sweep with a run id, or of the one that ended last.

        With ``ended``, sweeps that are under way are left out.
        """
        condition = f"tags.`{SWEEP_COMMAND}` LIKE '%'"
        condition += f" AND attributes.run_id = '{wanted}'" if wanted else ""
        condition += " AND attributes.status != 'RUNNING'" if ended else ""
        return self._latest(condition, "end_time")

    def _latest(self, condition: str, time: str) -> Run | None:
        order = [f"attributes.{time} DESC"]
        page = self.client.search_runs(
            self.experiment_ids(), condition, max_results=1, order_by=order
        )
        return page[0] if page else None

    def sweep_id(self, wanted: str | None) -> str:
        """The run id of a sweep: the one asked for, or the one that ended last.

        Raises:
            UserError: where there is none.
        """
        found = self.sweep(wanted)
        if found is None:
            which = f"--sweep {wanted}: no such sweep" if wanted else "no sweep"
            raise UserError(f"{which} in {self.uri}; right is the id of a sweep's parent run")
        return str(found.info.run_id)

    def search(self, condition: str, experiment_ids: Sequence[str] | None = None) -> list[Run]:
        """Runs that meet a condition, oldest first.

        Args:
            condition: in MLflow's search syntax.
            experiment_ids: where to search; None for all experiments.
        """
        return list(self.each(condition, experiment_ids))

    def each(self, condition: str, experiment_ids: Sequence[str] | None = None) -> Iterator[Run]:
        """The runs of :meth:`search` one by one, for those who need not hold all of them."""
        among = list(self.experiment_ids() if experiment_ids is None else experiment_ids)
        return _of_pages(
            lambda token: self.client.search_runs(
                among,
                condition,
                max_results=PAGE,
                order_by=["attributes.start_time ASC"],
                page_token=token,
            )
        )

    def experiments(self) -> list[Experiment]:
        """All experiments but the deleted ones."""
        return list(
            _of_pages(
                lambda token: self.client.search_experiments(max_results=PAGE, page_token=token)
            )
        )

    def experiment_ids(self) -> list[str]:
        """The ids of all experiments but the deleted ones."""
        return [experiment.experiment_id for experiment in self.experiments()]


def identity_tag(identity: str) -> dict[str, str]:
    """The tag that a run is found by, in a store of any size.

    Databases behind MLflow have an index on the names of tags, and none on their values: the
    identity stands in the name.
    """
    return {f"identity.{identity}": "finds this run"}


def _client(uri: str) -> MlflowClient:
    for name in ("urllib3.connectionpool", "mlflow.store.db.utils"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what they log is raised as well
    return MlflowClient(uri)


@contextmanager
def _reached(uri: str, way_out: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if not (is_store_failure(error) or isinstance(error, OSError)):
            raise
        raise UserError(
            f"tracking store {uri}: cannot be used: {first_line(error)} "
            f"(from {URI_VARIABLE}, tracking.uri or tracking.root; {way_out})"
        ) from error


def _of_pages(ask: Callable[[str | None], Any]) -> Iterator[Any]:
    """What all pages hold; ``ask`` gives the page behind a token, None asks for the first.

    A page is made of a hundred thousand objects. Garbage is not collected meanwhile, which would
    double the time.
    """
    token = None
    while True:
        collects = gc.isenabled()
        gc.disable()
        try:
            page = ask(token)
        finally:
            if collects:
                gc.enable()
        yield from page
        token = page.token
        if not token:
            return


def _experiment_id(client: MlflowClient, name: str, artifacts: str | None) -> str:
    """The id of the experiment of a name, which is made where it is missing."""
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            tags = {NOTE: EXPERIMENT_NOTE}
            number = client.create_experiment(name, artifact_location=artifacts, tags=tags)
            save_views(client, number)
            return str(number)
        except MlflowException:  # another process was quicker
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    if found.lifecycle_stage == "deleted":
        raise UserError(
            f"tracking.experiment={name}: was deleted in the store; restore it with "
            f"`mlflow experiments restore -x {found.experiment_id}`, or take another name"
        )
    return str(found.experiment_id)
