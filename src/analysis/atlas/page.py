"""The page of the atlas: a heat map in HTML, its numbers in Markdown for terminal and docs."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from src.analysis.atlas.cells import BESIDE, VIEWS
from src.analysis.atlas.grid import CELL, CHART, KINDS, Atlas
from src.analysis.report.sections import Section, Shaded, Table, write_page

DEEPEST_PP = 10.0
"""Percentage points from which a difference has the deepest colour."""
DEEPEST_SHARE = 0.75
"""Share of the full colour at which black text stays readable."""
GAIN, LOSS = (0, 114, 178), (213, 94, 0)
"""Okabe and Ito's blue and vermilion: told apart by colour-blind readers."""
ABOUT = f"""\
Mean paired difference in test macro F1, percentage points, with its 95 % interval, by seed. \
Blue: the loss is better; vermilion: the baseline is; deepest from {DEEPEST_PP:g} points on. Bold: \
q below 0.05. Shrunken: with each loss at its best, drawn towards the mean of all cells as far as \
its own noise asks for. Ratio: training rows of the largest class over those of the rarest. \
Decision argmax takes the most probable class, tuned moves the thresholds of the classes to where \
the validation split has them best, for both losses alike. Open: neither gain nor loss. Average \
precision and ECE (expected calibration error, above 0 less calibrated): mean difference in \
hundredths."""
FOLDED = "By data, ratio, budget and capacity"


def colour(mean: float) -> str:
    """CSS colour of a difference: blue for a gain, vermilion for a loss, deeper for more."""
    depth = min(abs(mean) / DEEPEST_PP, 1.0)
    target = GAIN if mean > 0 else LOSS
    parts = [round(255 + (part - 255) * DEEPEST_SHARE * depth) for part in target]
    return f"rgb({parts[0]}, {parts[1]}, {parts[2]})"


def sections(atlas: Atlas) -> list[Section]:
    """The whole atlas; bold where q is below 0.05."""
    found = [Section("", [], [_summary(atlas)]), Section("", [atlas.discoveries], [_rates(atlas)])]
    for (loss, baseline, decision), cells in atlas.cells.groupby(CHART):
        title = f"{loss} against {baseline}, decision {decision}"
        found.append(Section(title, [], [_map(atlas, cells)]))
        found.append(Section("", [], [_levels(atlas, loss, decision)], FOLDED))
    return found


def write_atlas(file: Path, atlas: Atlas) -> None:
    """Writes the heat maps as one HTML file that needs nothing else."""
    write_page(file, atlas.title, [Section("", [f"{atlas.runs} runs. {ABOUT}"]), *sections(atlas)])


def _summary(atlas: Atlas) -> Table:
    """One row per chart and view."""
    columns = ["loss", "decision", "view", *KINDS, "overall", "between", *BESIDE]
    shown = atlas.charts[columns].assign(
        view=atlas.charts["view"].map(_views(atlas)),
        between=atlas.charts["between"].map("{:.1f}".format),
    )
    head = ["loss", "decision", "rate", *KINDS, "mean, pp", "between cells, pp", *BESIDE]
    return [head, *shown.astype(str).to_numpy().tolist()]


def _rates(atlas: Atlas) -> Table:
    """Counts of the learning rates that validation chose."""
    values = sorted({rate for chosen in atlas.rates.values() for rate in chosen}, key=float)
    rows = [
        [loss, epochs, *(str(chosen[value]) for value in values)]
        for (loss, epochs), chosen in sorted(atlas.rates.items())
    ]
    return [["learning rate chosen", "epochs", *values], *rows]


def _views(atlas: Atlas) -> dict[str, str]:
    """The views that there are, in words."""
    names = dict(zip(VIEWS, (f"all at {atlas.rate:g}", "each at its best"), strict=True))
    return {view: name for view, name in names.items() if view in set(atlas.cells["view"])}


def _map(atlas: Atlas, cells: pd.DataFrame) -> Table:
    views, (baseline,) = _views(atlas), cells["baseline"].unique()
    shown = cells.assign(
        base=cells["base"].map("{:.3f}".format),
        text=pd.Series(list(_shaded(cells)), cells.index, dtype=object),
        shrunken=[_text(row, "shrunken_") for _, row in cells.iterrows()],
    )
    columns = [("base", "best"), *(("text", view) for view in views), ("shrunken", "best")]
    head = [*CELL, f"{baseline}, best", *views.values(), "shrunken"]
    return [head, *_by_view(shown, CELL, columns)]


def _shaded(cells: pd.DataFrame) -> Iterator[Shaded]:
    for _, row in cells.iterrows():
        cell = Shaded(_text(row) if row["kind"] == "open" else f"**{_text(row)}**")
        cell.colour = colour(row["mean"])
        yield cell


def _text(cell: pd.Series, form: str = "") -> str:
    """A cell's difference, or its ``shrunken_`` one, with the interval."""
    return "{:+.1f} [{:.1f}, {:.1f}]".format(*(cell[f"{form}{k}"] for k in ("mean", "low", "high")))


def _levels(atlas: Atlas, loss: str, decision: str) -> Table:
    levels = atlas.levels.query("loss == @loss and decision == @decision")
    views, counts = _views(atlas), levels[list(KINDS)].astype(str).agg("/".join, axis=1)
    shown = levels.assign(text=counts + ", " + levels["overall"].astype(str))
    head = ["/".join(KINDS) + ", mean", *views.values()]
    return [head, *_by_view(shown, ["level"], [("text", view) for view in views])]


def _by_view(rows: pd.DataFrame, index: list[str], columns: list[tuple[str, str]]) -> Table:
    """One row per index, in the order of the rows; columns by name and view, empty without one."""
    wide = rows.pivot(index=index, columns="view").reindex(columns=columns).fillna("")
    order = rows[index].drop_duplicates()
    return order.join(wide.droplevel("view", axis="columns"), on=index).to_numpy().tolist()
