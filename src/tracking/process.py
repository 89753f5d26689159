"""Which process writes a run, so that the runs of a dead one can be told from those under way."""

import logging
import os
import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

    from src.tracking.store import Store

log = logging.getLogger(__name__)

OVER = "ZX"
"""States of a process that has ended, and whose parent has not yet asked for its exit status."""
HOST, PID, STARTED = "process.host", "process.pid", "process.started"
NOT_THERE = "RESOURCE_DOES_NOT_EXIST"
"""MLflow's code for a run, a tag or a name that a store lacks."""
UNDER_WAY = "process.under_way"
"""Only runs that have not ended have this tag, so that they are found without a look at all runs:
a store's database has an index on the names of tags."""


def process_tags() -> dict[str, str]:
    """Host, process id and start of this process: together no other process has them."""
    pid, host = os.getpid(), platform.node()
    return {HOST: host, PID: str(pid), STARTED: _started(pid), UNDER_WAY: host}


def end_run(client: "MlflowClient", run_id: str, status: str, ended_ms: int | None = None) -> None:
    """Ends a run that was opened with :func:`process_tags`; a second call changes how and when.

    The status is FINISHED, FAILED or KILLED; the time is in milliseconds since 1970, None for now.
    """
    from mlflow.exceptions import MlflowException

    client.set_terminated(run_id, status, ended_ms or time.time_ns() // 10**6)
    try:
        client.delete_tag(run_id, UNDER_WAY)
    except MlflowException as error:
        if error.error_code != NOT_THERE:
            raise


def close_dead_runs(store: "Store") -> None:
    """Marks runs KILLED that say RUNNING though their process on this machine is gone."""
    condition = f"attributes.status = 'RUNNING' AND tags.`{UNDER_WAY}` = '{platform.node()}'"
    for run in store.search(condition):
        if not _alive(run.data.tags):
            end_run(store.client, run.info.run_id, "KILLED")
            log.info("%s: its process is gone, marked KILLED", run.info.run_name)


def _alive(tags: Mapping[str, str]) -> bool:
    pid = int(tags.get(PID, "0"))
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _started(pid) == tags.get(STARTED, "")


def _started(pid: int) -> str:
    """Clock ticks from boot to the process's start; empty where it is over, or nothing tells."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return ""
    fields = line.rpartition(")")[2].split()
    return "" if fields[0] in OVER else fields[19]
