"""Which process writes a run, so that the runs of a dead one can be told from those under way."""

import logging
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from src.tracking.store import Store

log = logging.getLogger(__name__)

OVER = "ZX"
"""States of a process that has ended, though nobody has asked yet how."""
HOST, PID, STARTED = "process.host", "process.pid", "process.started"


def process_tags() -> dict[str, str]:
    """Host, process id and start of this process: together no other process has them."""
    pid = os.getpid()
    return {HOST: platform.node(), PID: str(pid), STARTED: _started(pid)}


def close_dead_runs(store: "Store") -> list[str]:
    """Marks runs KILLED that say RUNNING though their process on this machine is gone.

    Args:
        store: where to look.

    Returns:
        The ids of the runs that were marked.
    """
    condition = f"attributes.status = 'RUNNING' AND tags.`{HOST}` = '{platform.node()}'"
    dead = [run for run in store.search(condition) if not _alive(run.data.tags)]
    for run in dead:
        store.client.set_terminated(run.info.run_id, "KILLED")
        log.info("%s: its process is gone, marked KILLED", run.info.run_name)
    return [run.info.run_id for run in dead]


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
