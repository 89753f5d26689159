"""The file in a sweep's folder by which its jobs and its end know of the sweep."""

import json
from pathlib import Path
from typing import Any

from hydra.conf import HydraConf
from hydra.types import RunMode

from src.runs.recorded.record import write_json

NAME = "sweep.json"


def write_sweep_file(folder: Path, run_id: str, command: str, *, over_losses: bool) -> None:
    """Writes it, before the first job; RUN_ID is empty where the sweep has no run in MLflow."""
    content = {"parent_run_id": run_id, "command": command, "over_losses": over_losses}
    write_json(folder / NAME, content)


def parent_run_id(hydra: HydraConf) -> str | None:
    """The MLflow run of the sweep that a job belongs to, by the job's ``hydra`` node."""
    if hydra.mode != RunMode.MULTIRUN:
        return None
    return _sweep_file(hydra).get("parent_run_id") or None


def went_over_losses(hydra: HydraConf) -> bool:
    """Whether a sweep that has begun, given by its ``hydra`` node, has losses to compare."""
    return bool(_sweep_file(hydra).get("over_losses"))


def _sweep_file(hydra: HydraConf) -> dict[str, Any]:
    file = Path(hydra.sweep.dir, NAME)
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
