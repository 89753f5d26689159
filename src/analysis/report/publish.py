"""Puts the report where it is found again: on the sweep's parent run, or in a folder."""

import os
import shutil
import tempfile
from pathlib import Path

from src.analysis.answer import Answer
from src.analysis.figures.evidence import local_folder
from src.analysis.report.files import write_json
from src.analysis.report.html import HTML, write_html
from src.tracking.store import Store

JSON = "comparison.json"
FOLDER = Path("comparison")
"""The folder of a report that belongs to no sweep."""


def publish(answer: Answer, root: str, uri: str | None, out: Path | None) -> list[str]:
    """Writes report and JSON.

    Args:
        answer: the comparison.
        root: folder of the SQLite store.
        uri: address of the store instead.
        out: folder to write into. Without one, the report of a sweep is on its run alone, and any
            other goes into ``./comparison``.

    Returns:
        Paths or addresses of the report, and warnings.
    """
    found = []
    with tempfile.TemporaryDirectory() as draft:
        write_json(Path(draft, JSON), answer)
        write_html(Path(draft, HTML), answer)
        if answer.selection.sweep_id:
            try:
                found.append(_log(answer, Path(draft), root, uri))
            except Exception as error:  # a store that only reads still gets its answer
                found.append(f"(not on the sweep's run: {error})")
                out = out or FOLDER
        else:
            out = out or FOLDER
        if out is not None:
            _copy(Path(draft), out)
            found.append(os.path.relpath(out / HTML))
    return found


def _log(answer: Answer, folder: Path, root: str, uri: str | None) -> str:
    """Puts both files among the artifacts of the sweep's parent run."""
    client, artifacts = Store.at(root, uri).client, answer.selection.artifacts
    for name in (HTML, JSON):
        client.log_artifact(str(answer.selection.sweep_id), str(folder / name))
    local = local_folder(artifacts)
    return os.path.relpath(local / HTML) if local else f"{artifacts}/{HTML}"


def _copy(folder: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name in (HTML, JSON):
        shutil.copyfile(folder / name, target / name)
