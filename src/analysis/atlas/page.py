"""Shows the atlas: as Markdown for the terminal and the docs, as a heat map in HTML."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from src.analysis.atlas.grid import Atlas, Chart
from src.analysis.report.text import page_templates

DEEPEST_PP = 10.0
"""Percentage points from which a difference has the deepest colour."""
DEEPEST_SHARE = 0.75
"""Of the full colour, so that black text stays readable on it."""
GAIN, LOSS = (0, 114, 178), (213, 94, 0)
"""Okabe and Ito's blue and vermilion: told apart by colour-blind readers."""


def colour(mean: float) -> str:
    """CSS colour of a difference: blue for a gain, vermilion for a loss, deeper for more."""
    depth = min(abs(mean) / DEEPEST_PP, 1.0)
    target = GAIN if mean > 0 else LOSS
    parts = [round(255 + (part - 255) * DEEPEST_SHARE * depth) for part in target]
    return f"rgb({parts[0]}, {parts[1]}, {parts[2]})"


def markdown(atlas: Atlas) -> str:
    """Every chart with its levels, as Markdown; bold where an interval leaves out 0."""
    return "\n\n".join(part for chart in atlas.charts for part in _sections(chart))


def summary(atlas: Atlas) -> str:
    """One row a chart, as Markdown."""
    rows = [
        [
            chart.loss,
            chart.decision,
            str(len(chart.cells)),
            *(str(chart.count(kind)) for kind in ("gain", "loss", "open")),
            f"{chart.calibration:+.3f}",
        ]
        for chart in atlas.charts
    ]
    head = ["loss", "decision", "cells", "gain", "lose", "cannot be told apart", "ECE"]
    return _table(head, rows)


def write_atlas(file: Path, atlas: Atlas) -> None:
    """Writes the heat maps as one HTML file that needs nothing else.

    Args:
        file: where to.
        atlas: the charts.
    """
    template = page_templates().get_template("atlas.html.j2")
    page = template.render(atlas=atlas, colour=colour, deepest=DEEPEST_PP)
    file.write_text(page, encoding="utf-8")


def _sections(chart: Chart) -> Iterator[str]:
    yield f"### {chart.title}"
    grid, efforts = chart.grid, chart.efforts
    rows = [[name, *(_text(grid.get((name, one))) for one in efforts)] for name in chart.problems]
    yield _table(["problem", *efforts], rows)
    yield _table(
        ["", "cells", "gain", "lose", "mean difference, pp"],
        [
            [one.name, str(one.cells), str(one.gain), str(one.loss), f"{one.mean:+.1f}"]
            for one in chart.levels.itertuples()
        ],
    )


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    return cell.text if cell.kind == "open" else f"**{cell.text}**"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "| --- " + "| --: " * (len(head) - 1) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
