"""Puts the report where it is found again: on the sweep's parent run, or in a folder."""

import os
import shutil
import tempfile
from pathlib import Path

from src.analysis.answer import Answer
from src.analysis.evidence import local_folder
from src.analysis.files import write_json
from src.analysis.report import HTML, write_html

JSON = "comparison.json"
FOLDER = Path("comparison")
"""Where a report goes that no sweep's run can hold."""


def publish(answer: Answer, root: str, uri: str | None, out: Path | None) -> list[str]:
    """Writes report and JSON.

    Args:
        answer: the comparison.
        root: folder of the SQLite store.
        uri: address of the store instead.
        out: folder to write into; without one, a sweep's report is on its run alone, and any other
            goes into ``./comparison``.

    Returns:
        Where the report is, each place for people, and warnings.
    """
    places = []
    with tempfile.TemporaryDirectory() as draft:
        written = out or Path(draft)
        _write(answer, written)
        if answer.selection.sweep_id:
            try:
                places.append(_log(answer, written, root, uri))
            except Exception as error:  # a store that only reads still gets its answer
                places.append(f"(not on the sweep's run: {error})")
                out = out or FOLDER
        else:
            out = out or FOLDER
        if out is not None:
            if out != written:
                _write_again(written, out)
            places.append(os.path.relpath(out / HTML))
    return places


def _write(answer: Answer, folder: Path) -> None:
    write_json(folder / JSON, answer)
    write_html(folder / HTML, answer)


def _write_again(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name in (HTML, JSON):
        shutil.copy(source / name, target / name)


def _log(answer: Answer, folder: Path, root: str, uri: str | None) -> str:
    """Puts both files among the artifacts of the sweep's parent run.

    On this disk that is a copy, as MLflow makes it, and needs no MLflow.
    """
    selection = answer.selection
    local = local_folder(selection.artifacts)
    if local is not None:
        _write_again(folder, local)
        return os.path.relpath(local / HTML)
    from src.analysis.mlflow_reader import MlflowReader

    reader = MlflowReader(root, uri)
    for name in (HTML, JSON):
        reader.log(str(selection.sweep_id), str(folder / name))
    return f"{selection.artifacts}/{HTML}"
