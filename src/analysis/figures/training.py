"""Pictures of the training: curves by epoch, and scores by gamma."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from src.analysis.figures.evidence import LossEvidence
from src.analysis.figures.palette import GAMMA, line_of
from src.analysis.figures.panel import INK, WIDE, WIDTH, Drawing, Panel
from src.analysis.runs import SCORE, in_seeds
from src.analysis.statistics.losses import LossSummary

FEWEST_GAMMAS = 3
"""Of one loss that make a curve."""
LOGARITHMIC = 20.0
"""Largest over smallest value from which an axis is logarithmic."""
GAP = 0.16
"""Inches between the names of two lines."""

Curve = tuple[LossEvidence, NDArray[np.float64]]


def by_epoch(
    losses: Sequence[LossEvidence], metric: str, title: str, unit: str, *, normalised: bool = False
) -> Panel:
    """A column of ``history.csv`` by epoch: mean over seeds, band of one standard deviation.

    Where it is normalised, each seed is divided by its first epoch.
    """
    tables = [(one, one.by_epoch(metric)) for one in losses]
    tables = [entry for entry in tables if entry[1].size and np.isfinite(entry[1]).any()]
    if not tables:
        return Panel(title, "", "no run of these has it by epoch on this disk")
    if normalised:
        tables = [(one, table / table[:, :1]) for one, table in tables]
    wide, narrow = (_drawn(tables, title, unit, *size) for size in ((WIDE, 4.4), (WIDTH, 3.2)))
    seeds = in_seeds(max(len(table) for _, table in tables))
    drawn = [one for one, _ in tables]
    absent = [one.summary.short for one in losses if one not in drawn]
    caption = f"Mean over {seeds}; band: one standard deviation; ring: the median best epoch."
    caption += " Each divided by its first epoch." if normalised else ""
    caption += f" Without {', '.join(absent)}: no epochs on this disk." if absent else ""
    return Panel(title, wide, caption, narrow)


def by_gamma(losses: Sequence[LossSummary], decision: str) -> Panel | None:
    """Test macro F1 over gamma, for losses that ran with several; None where none did."""
    series: dict[str, dict[float, LossSummary]] = defaultdict(dict)
    for loss in losses:
        if found := GAMMA.search(loss.label):
            series[GAMMA.sub("gamma=2", loss.label)][float(found[1])] = loss
    series = {label: of for label, of in series.items() if len(of) >= FEWEST_GAMMAS}
    if not series:
        return None
    title, metric = "Macro F1 by gamma", SCORE[decision]
    with Drawing(title, 2.9) as drawing:
        axes = drawing.axes()
        for label, by_gammas in series.items():
            gammas = sorted(by_gammas)
            means = [by_gammas[gamma].means.get(metric, np.nan) for gamma in gammas]
            spreads = [by_gammas[gamma].spreads.get(metric, 0.0) for gamma in gammas]
            axes.errorbar(gammas, means, spreads, **line_of(label), lw=1.4, capsize=3)
        axes.set(xlabel="gamma", ylabel=f"test macro F1, {decision}")
    return Panel(title, drawing.svg, "Mean over seeds; bar: one standard deviation.")


def _drawn(tables: Sequence[Curve], title: str, unit: str, width: float, height: float) -> str:
    with Drawing(title, height, width) as drawing:
        axes, lowest, highest = drawing.axes(), np.inf, 0.0
        ends = []
        for one, table in tables:
            mean = np.nanmean(table, axis=0)
            spread = np.nanstd(table, axis=0, ddof=min(1, len(table) - 1))
            epochs, line = np.arange(1, len(mean) + 1), line_of(one.summary.label)
            every, colour = max(1, len(epochs) // 8), line["color"]
            axes.plot(epochs, mean, **line, lw=1.6, ms=3.5, markevery=every)
            axes.fill_between(epochs, mean - spread, mean + spread, color=colour, alpha=0.12, lw=0)
            best = one.best_epoch
            if best is not None and 1 <= best <= len(mean):
                ring = {"mfc": "none", "mec": colour, "mew": 1.8, "ms": 10}
                axes.plot([best], [mean[best - 1]], "o", **ring)
            ends.append((one.summary.short, colour, epochs[-1], mean[-1]))
            lowest, highest = min(lowest, np.nanmin(mean)), max(highest, np.nanmax(mean))
        if lowest > 0 and highest / lowest > LOGARITHMIC:
            axes.set_yscale("log")
            axes.set_ylim(bottom=lowest / 2)  # a band may reach below 0
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(xlabel="epoch", ylabel=unit, xlim=(1, max(end[2] for end in ends)))
        _name_lines(axes, ends, height - 0.6)
    return drawing.svg


def _name_lines(axes: Axes, ends: Sequence[tuple[str, str, float, float]], height: float) -> None:
    """Writes each line's name at its end, so far apart that they can be read; height in inches."""
    bottom = axes.get_ylim()[0]
    known = [(name, colour, x, y if np.isfinite(y) else bottom) for name, colour, x, y in ends]
    to_share = (axes.transData + axes.transAxes.inverted()).transform
    places = [float(to_share((x, y))[1]) for _, _, x, y in known]
    order = np.argsort(places)
    gap = GAP / height
    for below, above in pairwise(order):
        places[above] = max(places[above], places[below] + gap)
    for above, index in enumerate(order[::-1]):  # back down where the top is crowded
        places[index] = min(places[index], 1.0 - gap * above)
    for (name, colour, x, y), place in zip(known, places, strict=True):
        axes.annotate(
            name,
            (x, y),
            xytext=(1.025, place),
            textcoords="axes fraction",
            va="center",
            color=INK,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 1.2},
        )
