"""A sweep's own run in MLflow, whose children are the runs of its jobs."""

import json
import logging
import shlex
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from mlflow.entities import Metric, Param, RunTag

from src.config.check import FULL
from src.errors import first_line
from src.tracking.card_note import NOTE
from src.tracking.columns import columns_of, missing_tags
from src.tracking.database import count_rows, log_ahead
from src.tracking.process import close_dead_runs, end_run, process_tags
from src.tracking.store import Store
from src.tracking.ui_views import LAST_SWEEP, save_views, view_link, view_links

log = logging.getLogger(__name__)

MULTIRUN = ("-m", "--multirun")
LONGEST_COMMAND, LONGEST_NAME = 1000, 80
"""Characters of a command in the description and in the name of its run."""


class SweepRun:
    """Opens the run of the same sweep done before, or a new one.

    Args:
        tracking: the resolved ``tracking`` node.
        command: as typed.
        identity: the same for sweeps over the same experiments; empty where these are not known.
        tags: what was planned: ``planned.seeds``, ``tuning.keys``, and ``sweep.settings``, which
            is the same for sweeps that differ in their seeds alone.
        anew: whether the run has to be a new one.

    Attributes:
        run_id: in MLflow.
        extends: seeds of earlier sweeps over the same settings that this one has, with others.
        done: whether the same sweep has ended well before, so that its runs are there.

    Raises:
        UserError: where the store cannot be used.
    """

    def __init__(
        self,
        tracking: Mapping[str, Any],
        command: str,
        identity: str,
        tags: Mapping[str, str],
        *,
        anew: bool,
    ) -> None:
        self._store, self._command, self.done = Store.open(tracking), command, False
        if tracking.get("detail", FULL) != FULL:
            log_ahead(self._store.uri)
        with self._store.needed():
            close_dead_runs(self._store)
            self.extends = self._extended(tags)
            planned = {**tags, "planned.extends": json.dumps(self.extends)}
            found = None if anew or not identity else self._find(identity)
            self.run_id = found or self._create(identity, planned)

    def _extended(self, tags: Mapping[str, str]) -> list[int]:
        """Seeds that were swept before with the same settings, where seeds were added to them."""
        if "sweep.settings" not in tags:
            return []
        condition = f"tags.`sweep.settings` = '{tags['sweep.settings']}'"
        earlier = self._store.search(condition, [self._store.experiment_id])
        swept = [set(json.loads(run.data.tags["planned.seeds"])) for run in earlier]
        now = set(json.loads(tags["planned.seeds"]))
        return sorted(set().union(*(seeds & now for seeds in swept if seeds & now and now - seeds)))

    def _find(self, identity: str) -> str | None:
        client, condition = self._store.client, f"tags.`sweep.identity` = '{identity}'"
        for run in client.search_runs([self._store.experiment_id], condition, max_results=1):
            self.done = run.info.status == "FINISHED"
            client.update_run(run.info.run_id, status="RUNNING")
            for key, value in process_tags().items():
                client.set_tag(run.info.run_id, key, value)
            return str(run.info.run_id)
        return None

    def _create(self, identity: str, planned: Mapping[str, str]) -> str:
        tags = process_tags() | {
            **planned,
            "sweep.identity": identity,
            "sweep.command": self._command,
            "mlflow.source.name": "train.py",
            "mlflow.source.type": "LOCAL",
            NOTE: f"`{self._command}`",
        }
        words = [word for word in shlex.split(self._command)[1:] if word not in MULTIRUN]
        name = f"sweep {' '.join(words)[:LONGEST_NAME]} {time.strftime('%Y-%m-%d %H:%M')}"
        run = self._store.client.create_run(self._store.experiment_id, tags=tags, run_name=name)
        return str(run.info.run_id)

    def log(self, params: Mapping[str, Any], metric: tuple[str, float], **tags: str) -> None:
        """Logs what is true of the sweep as a whole."""
        client, now = self._store.client, time.time_ns() // 10**6
        try:
            client.log_batch(
                self.run_id,
                metrics=[Metric(*metric, now, 0)],
                params=[Param(key, str(value)) for key, value in params.items()],
                tags=[RunTag(key, value) for key, value in tags.items()],
            )
        except Exception as error:
            log.warning("MLflow: not logged for the sweep: %s", first_line(error))

    def close(self, status: str, table: str) -> None:
        """Ends the run; one that failed before the first of its jobs had a run is deleted.

        Args:
            status: FINISHED, FAILED or KILLED.
            table: of its jobs, in Markdown; ends its description. Empty where none has ended well:
                then there is nothing to look at.
        """
        store = self._store
        if table:
            link = view_link(store.experiment_id, LAST_SWEEP)
            served = str(store.uri).startswith("http")
            where = store.uri if served else "`make ui`, then http://127.0.0.1:5000"
            print(f"MLflow:  sweep {self.run_id}; {where}/{link}")
        with suppress(Exception):  # of workers that were ended before they could say so
            close_dead_runs(store)
        try:
            children = store.children(self.run_id)
            if not children and status != "FINISHED":  # it has nothing to show
                store.client.delete_run(self.run_id)
                return
            for run in children:
                if lacking := missing_tags(run):
                    tags = [RunTag(key, value) for key, value in lacking.items()]
                    store.client.log_batch(run.info.run_id, tags=tags)
            columns = columns_of(children)
            save_views(store.client, store.experiment_id, self.run_id, columns)
            parts = [f"`{self._command[:LONGEST_COMMAND]}`", view_links(store.experiment_id), table]
            store.client.set_tag(self.run_id, NOTE, "\n\n".join(parts))
            end_run(store.client, self.run_id, status)
            count_rows(store.uri)
        except Exception as error:
            reason = first_line(error)
            log.warning("MLflow: sweep %s not marked %s: %s", self.run_id, status, reason)
