"""Shows the atlas: as Markdown for the terminal and the docs, as a heat map in HTML."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from src.analysis.atlas.cells import BESIDE, VIEWS
from src.analysis.atlas.grid import CELL, CHART, KINDS, Atlas
from src.analysis.report.text import Table, markdown_table, page_templates

DEEPEST_PP = 10.0
"""Percentage points from which a difference has the deepest colour."""
DEEPEST_SHARE = 0.75
"""Of the full colour, so that black text stays readable on it."""
GAIN, LOSS = (0, 114, 178), (213, 94, 0)
"""Okabe and Ito's blue and vermilion: told apart by colour-blind readers."""
SHRUNKEN = "shrunken_"
LEVELS = "<details><summary>By data, ratio, budget and capacity</summary>"


def colour(mean: float) -> str:
    """CSS colour of a difference: blue for a gain, vermilion for a loss, deeper for more."""
    depth = min(abs(mean) / DEEPEST_PP, 1.0)
    target = GAIN if mean > 0 else LOSS
    parts = [round(255 + (part - 255) * DEEPEST_SHARE * depth) for part in target]
    return f"rgb({parts[0]}, {parts[1]}, {parts[2]})"


def text(cell: pd.Series, form: str = "") -> str:
    """A cell's difference, or its ``shrunken_`` one, with the interval."""
    return "{:+.1f} [{:.1f}, {:.1f}]".format(*(cell[f"{form}{k}"] for k in ("mean", "low", "high")))


def markdown(atlas: Atlas) -> str:
    """The whole atlas as Markdown; bold where q is below 0.05."""
    parts = [markdown_table(summary(atlas)), atlas.discoveries, markdown_table(rates(atlas))]
    for (loss, baseline, decision), cells in atlas.cells.groupby(CHART):
        parts.append(f"### {loss} against {baseline}, decision {decision}")
        levels = markdown_table(_levels(atlas, loss, decision))
        parts += [markdown_table(_map(atlas, cells)), LEVELS, levels, "</details>"]
    return "\n\n".join(parts)


def summary(atlas: Atlas) -> Table:
    """One row per chart and view."""
    columns = ["loss", "decision", "view", *KINDS, "overall", "between", *BESIDE]
    shown = atlas.charts[columns].assign(
        view=atlas.charts["view"].map(names_of_views(atlas)),
        between=atlas.charts["between"].map("{:.1f}".format),
    )
    head = ["loss", "decision", "rate", *KINDS, "mean, pp", "between cells, pp", *BESIDE]
    return [head, *shown.astype(str).to_numpy().tolist()]


def rates(atlas: Atlas) -> Table:
    """How often validation chose each learning rate."""
    values = sorted({rate for chosen in atlas.rates.values() for rate in chosen}, key=float)
    rows = [
        [loss, epochs, *(str(chosen[value]) for value in values)]
        for (loss, epochs), chosen in sorted(atlas.rates.items())
    ]
    return [["learning rate chosen", "epochs", *values], *rows]


def names_of_views(atlas: Atlas) -> dict[str, str]:
    """The views that there are, in words."""
    names = dict(zip(VIEWS, (f"all at {atlas.rate:g}", "each at its best"), strict=True))
    return {view: name for view, name in names.items() if view in set(atlas.cells["view"])}


def by_cell(cells: pd.DataFrame) -> Iterator[tuple[list[str], dict[str, pd.Series]]]:
    """Problem and effort of each cell of a chart, and what is known of it by view."""
    for names, found in cells.groupby(CELL, sort=False):
        yield list(names), {row["view"]: row for _, row in found.iterrows()}


def write_atlas(file: Path, atlas: Atlas) -> None:
    """Writes the heat maps as one HTML file that needs nothing else.

    Args:
        file: where to.
        atlas: the comparisons.
    """
    tools = {"colour": colour, "text": text, "by_cell": by_cell, "deepest": DEEPEST_PP}
    page = page_templates().get_template("atlas.html.j2")
    views, charts = names_of_views(atlas), atlas.cells.groupby(CHART)
    shown = page.render(atlas=atlas, charts=charts, views=views, summary=summary(atlas), **tools)
    file.write_text(shown, encoding="utf-8")


def _map(atlas: Atlas, cells: pd.DataFrame) -> Table:
    views, (baseline,) = names_of_views(atlas), cells["baseline"].unique()
    shown = cells.assign(
        base=cells["base"].map("{:.3f}".format),
        text=[
            text(row) if row["kind"] == "open" else f"**{text(row)}**"
            for _, row in cells.iterrows()
        ],
        shrunken=[text(row, SHRUNKEN) for _, row in cells.iterrows()],
    )
    columns = [("base", "best"), *(("text", view) for view in views), ("shrunken", "best")]
    head = [*CELL, f"{baseline}, best", *views.values(), "shrunken"]
    return [head, *_by_view(shown, CELL, columns)]


def _levels(atlas: Atlas, loss: str, decision: str) -> Table:
    levels = atlas.levels.query("loss == @loss and decision == @decision")
    views, counts = names_of_views(atlas), levels[list(KINDS)].astype(str).agg("/".join, axis=1)
    shown = levels.assign(text=counts + ", " + levels["overall"].astype(str))
    head = ["/".join(KINDS) + ", mean", *views.values()]
    return [head, *_by_view(shown, ["level"], [("text", view) for view in views])]


def _by_view(rows: pd.DataFrame, index: list[str], columns: list[tuple[str, str]]) -> Table:
    """One row per index, in the order of the rows; columns by name and view, empty without one."""
    wide = rows.pivot(index=index, columns="view").reindex(columns=columns).fillna("")
    order = rows[index].drop_duplicates()
    return order.join(wide.droplevel("view", axis="columns"), on=index).to_numpy().tolist()
