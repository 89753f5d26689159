"""Puts the report where it is found again: on the sweep's parent run, or in a folder."""

import os
import shutil
import tempfile
from pathlib import Path

from src.analysis.answer import Answer
from src.analysis.figures.evidence import local_folder
from src.analysis.report.files import write_json
from src.analysis.report.html import HTML, write_html
from src.tracking.card_note import LONGEST as LONGEST_NOTE
from src.tracking.card_note import NOTE
from src.tracking.store import Store

JSON = "comparison.json"
FOLDER = Path("comparison")
"""The folder of a report that belongs to no sweep."""
ANSWER = "**Answer.**"
"""Begins each paragraph of a sweep's description that a comparison has written."""
MOST_ANSWERS = 4
"""Settings whose answer stands in a description, which has room for few."""


def publish(answer: Answer, root: str, uri: str | None, out: Path | None) -> list[str]:
    """Writes report and JSON into a folder.

    Without one, the report of a sweep is on its run alone, and any other goes into
    ``./comparison``.

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
    run = client.get_run(str(answer.selection.sweep_id))
    note = described(answer, run.data.tags.get(NOTE, ""))
    client.set_tag(run.info.run_id, NOTE, note)
    local = local_folder(artifacts)
    return os.path.relpath(local / HTML) if local else f"{artifacts}/{HTML}"


def described(answer: Answer, note: str) -> str:
    """A sweep's description with the answer ahead, in place of an earlier one."""
    said = []
    cards = {one.setting: one for one in answer.cards}
    for one in answer.recommendations[:MOST_ANSWERS]:
        parts = [part for s in answer.statements(one) for part in (s.sentence, s.aside) if part]
        where = f" {one.title}:" if len(answer.recommendations) > 1 else ""
        at_first = cards[one.setting]
        led = one.setting in answer.scale and answer.scale[one.setting].leads
        parts.insert(int(led), f"**{at_first.badge.capitalize()}**: {at_first.headline}")
        said.append(f"{ANSWER}{where} {' '.join(f'{part}.' for part in parts)}")
    more = len(answer.recommendations) - len(said)
    said += [f"{ANSWER} {more} more settings are in the report."] if more else []
    kept = [part for part in note.split("\n\n") if not part.startswith(ANSWER)]
    return "\n\n".join([*said, *kept])[:LONGEST_NOTE]


def _copy(folder: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name in (HTML, JSON):
        shutil.copyfile(folder / name, target / name)
