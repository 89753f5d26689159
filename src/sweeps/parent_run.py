"""A sweep's own run in MLflow, which its jobs' runs are children of."""

import logging
import shlex
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from src.sweeps.plan import Plan
from src.sweeps.table import Row, markdown_table
from src.tracking.process import close_dead_runs, end_run, process_tags
from src.tracking.store import Store
from src.tracking.ui_views import LAST_SWEEP, save_views, view_link, view_links

log = logging.getLogger(__name__)

MULTIRUN = ("-m", "--multirun")
LONGEST_NOTE, LONGEST_COMMAND, LONGEST_NAME = 8000, 1000, 80
"""Characters: MLflow cuts off longer descriptions, with a warning."""


class ParentRun:
    """Opens the run of the same sweep done before, or a new one.

    Args:
        tracking: the resolved ``tracking`` node.
        command: as typed.
        plan: of the jobs, if they are known before they run.

    Attributes:
        run_id: in MLflow.

    Raises:
        UserError: where the store cannot be used.
    """

    def __init__(self, tracking: Mapping[str, Any], command: str, plan: Plan | None) -> None:
        self._store, self._command = Store.open(tracking), command
        close_dead_runs(self._store)
        found = self._find(plan.identity) if plan and not plan.forced else None
        self.run_id = found or self._create(plan.identity if plan else "")

    def _find(self, identity: str) -> str | None:
        client, condition = self._store.client, f"tags.`sweep.identity` = '{identity}'"
        for run in client.search_runs([self._store.experiment_id], condition, max_results=1):
            client.update_run(run.info.run_id, status="RUNNING")
            for key, value in process_tags().items():
                client.set_tag(run.info.run_id, key, value)
            return str(run.info.run_id)
        return None

    def _create(self, identity: str) -> str:
        tags = process_tags() | {
            "sweep.identity": identity,
            "sweep.command": self._command,
            "mlflow.source.name": "train.py",
            "mlflow.source.type": "LOCAL",
            "mlflow.note.content": f"`{self._command}`",
        }
        typed = [
            word for word in shlex.split(self._command)[1:] if word not in {"-m", "--multirun"}
        ]
        name = f"sweep {' '.join(typed)[:LONGEST_NAME]} {time.strftime('%Y-%m-%d %H:%M')}"
        run = self._store.client.create_run(self._store.experiment_id, tags=tags, run_name=name)
        return str(run.info.run_id)

    def log(
        self, params: Mapping[str, Any], metrics: Mapping[str, float], tags: Mapping[str, str]
    ) -> None:
        """Logs what is true of the sweep as a whole."""
        try:
            for key, value in params.items():
                self._store.client.log_param(self.run_id, key, value)
            for key, value in metrics.items():
                self._store.client.log_metric(self.run_id, key, value)
            for key, value in tags.items():
                self._store.client.set_tag(self.run_id, key, value)
        except Exception as error:
            log.warning("MLflow: not logged for the sweep: %s", error)

    def close(self, status: str, rows: Sequence[Row]) -> None:
        """Ends the run.

        Args:
            status: FINISHED, FAILED or KILLED.
            rows: of the table of its jobs, best first.
        """
        store = self._store
        link = view_link(store.experiment_id, LAST_SWEEP)
        served = str(store.uri).startswith("http")
        where = store.uri if served else "`make ui`, then http://127.0.0.1:5000"
        print(f"MLflow:  sweep {self.run_id}; {where}/{link}")
        with suppress(Exception):  # of workers that were ended before they could say so
            close_dead_runs(store)
        try:
            save_views(store.client, store.experiment_id, self.run_id)
            head = f"`{self._command[:LONGEST_COMMAND]}`\n\n{view_links(store.experiment_id)}\n\n"
            note = head + markdown_table(rows, LONGEST_NOTE - len(head))
            store.client.set_tag(self.run_id, "mlflow.note.content", note)
            end_run(store.client, self.run_id, status)
        except Exception as error:
            log.warning("MLflow: sweep %s not marked %s: %s", self.run_id, status, error)
