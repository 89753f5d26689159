"""Puts the report where it is found again: on the sweep's parent run, or in a folder."""

import math
import os
import re
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from mlflow.entities import Metric, RunTag

from src.analysis.answer import Answer
from src.analysis.figures.evidence import local_folder
from src.analysis.report.files import write_json
from src.analysis.report.html import HTML, write_html
from src.analysis.report.sections import markdown_table
from src.analysis.report.text import number
from src.analysis.runs import CRITERIA, OTHER, SCORE
from src.tracking.card_note import LONGEST as LONGEST_NOTE
from src.tracking.card_note import NOTE
from src.tracking.store import Store
from src.tracking.ui_views import artifact_link

JSON = "comparison.json"
FOLDER = Path("comparison")
"""The folder of a report that belongs to no sweep."""
ANSWER = "**Answer.**"
"""Begins each paragraph of a sweep's description that a comparison has written."""
ADVICE, TABLE = "**Recommendation.**", "| loss | "
"""The beginnings of the two parts that follow such a paragraph."""
NOT_IN_A_NAME = re.compile(r"[^\w.-]+")
"""Blanks, and characters that MLflow refuses in the name of a metric."""
MOST_ANSWERS = 4
"""Settings whose answer stands in a description, which has room for few."""


def publish(
    answer: Answer, root: str, uri: str | None, out: Path | None, *, pictures: bool = True
) -> list[str]:
    """Writes report and JSON into a folder.

    Without one, the report of a sweep is on its run alone, and any other goes into
    ``./comparison``. Without pictures no test image is in it.

    Returns:
        Paths or addresses of the report, and warnings.
    """
    found = []
    with tempfile.TemporaryDirectory() as draft:
        write_json(Path(draft, JSON), answer)
        write_html(Path(draft, HTML), answer, pictures=pictures)
        if answer.selection.sweep_id:
            try:
                found.append(_log(answer, Path(draft), root, uri))
            except Exception as error:  # a store that only reads still gets its answer
                found.append(f"(not on the sweep's run: {error})")
                out = out or FOLDER
        else:
            out = out or FOLDER
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            for name in (HTML, JSON):
                shutil.copyfile(Path(draft, name), out / name)
            found.append(os.path.relpath(out / HTML))
    return found


def _log(answer: Answer, folder: Path, root: str, uri: str | None) -> str:
    """Puts both files among the artifacts of the sweep's parent run."""
    client, run_id = Store.at(root, uri).client, str(answer.selection.sweep_id)
    client.log_artifacts(run_id, str(folder))
    run, now = client.get_run(run_id), time.time_ns() // 10**6
    link = artifact_link(run.info.experiment_id, run_id, HTML)
    note = described(answer, run.data.tags.get(NOTE, ""), link)
    metrics, tags = key_numbers(answer)
    client.log_batch(
        run_id,
        metrics=[Metric(name, value, now, 0) for name, value in metrics.items()],
        tags=[RunTag(name, value) for name, value in (tags | {NOTE: note}).items()],
    )
    local = local_folder(answer.selection.artifacts)
    return os.path.relpath(local / HTML) if local else f"{answer.selection.artifacts}/{HTML}"


def key_numbers(answer: Answer) -> tuple[dict[str, float], dict[str, str]]:
    """The answer as metrics and tags of the sweep's run, so that sweeps stand side by side.

    Returns:
        Metrics ``difference``, ``low`` and ``high`` of the loss that the answer's card is about,
        percentage points, an end only where there is one; and tags
        ``compared`` (these two), ``verdict``, and ``best_loss``, which may be the baseline. With
        several settings each name ends in that of its own.
    """
    metrics: dict[str, float] = {}
    tags = {"decision": answer.decision}
    for setting in answer.settings[:MOST_ANSWERS]:
        first = answer.first(setting)
        several = len(answer.settings) > 1
        where = f"/{NOT_IN_A_NAME.sub('_', first.title)}" if several else ""
        ends = {"difference": first.mean, "low": first.low, "high": first.high}
        metrics |= {f"{key}{where}": value for key, value in ends.items() if math.isfinite(value)}
        tags |= {
            f"best_loss{where}": answer.by_validation(setting)[0].loss.short,
            f"compared{where}": f"{first.short} against {first.base}",
            f"verdict{where}": first.verdict,
        }
    return metrics, tags


def described(answer: Answer, note: str, link: str) -> str:
    """A sweep's description with the answer and a link ahead, in place of an earlier answer."""
    said = []
    cards = {one.setting: one for one in answer.cards}
    for one in answer.recommendations[:MOST_ANSWERS]:
        parts = [part for s in answer.statements(one) for part in (s.sentence, s.aside) if part]
        where = f" {one.title}:" if len(answer.recommendations) > 1 else ""
        at_first = cards[one.setting]
        ahead = [f"**{at_first.badge.capitalize()}**: {at_first.headline}"]
        if one.setting in answer.scale and answer.scale[one.setting].leads:
            ahead.insert(0, parts.pop(0))
        said.append(f"{ANSWER}{where} {_sentences(ahead)} [The whole report]({link})")
        said += [_table(answer, one.setting), f"{ADVICE} {_sentences(parts)}"]
    more = len(answer.recommendations) - MOST_ANSWERS
    said += [f"{ANSWER} {more} more settings are in the report."] if more > 0 else []
    ours = (ANSWER, TABLE, ADVICE)
    kept = [part for part in note.split("\n\n") if not part.startswith(ours)]
    return "\n\n".join([*said, *kept])[:LONGEST_NOTE]


def _sentences(parts: Sequence[str]) -> str:
    return " ".join(f"{part}." for part in parts)


def _table(answer: Answer, setting: str) -> str:
    """The losses of a setting in Markdown, best on the validation split first."""
    decision = answer.decision
    heads = ["loss", "validation F1", *(f"test F1, {one}" for one in (decision, OTHER[decision]))]
    lines = [[*heads, "difference", "verdict"]]
    for row in answer.by_validation(setting):
        scores = [
            number(row.loss.means.get(CRITERIA[decision])),
            number(row.loss.means.get(SCORE[decision])),
            number(row.other_loss.means.get(SCORE[OTHER[decision]]) if row.other_loss else None),
        ]
        found = [row.found.in_points, row.found.verdict] if row.found else ["", "baseline"]
        lines.append([row.loss.short, *scores, *found])
    return markdown_table(lines)
