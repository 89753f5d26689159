"""Pictures of the training: curves by epoch, and the losses themselves."""

import re
from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator

from src.analysis.figures.evidence import LossEvidence
from src.analysis.figures.palette import line_of
from src.analysis.figures.panel import Drawing, Panel, legend_height
from src.analysis.runs import in_seeds

GAMMA = re.compile(r"\bgamma=([0-9.eE+-]+)")
WIDE = 20.0
"""Largest over smallest value from which an axis is logarithmic."""


def by_epoch(losses: Sequence[LossEvidence], metric: str, title: str, unit: str) -> Panel:
    """A column of ``history.csv`` by epoch: mean over seeds, band of one standard deviation."""
    tables = [(one, one.by_epoch(metric)) for one in losses]
    tables = [entry for entry in tables if entry[1].size and np.isfinite(entry[1]).any()]
    if not tables:
        return Panel(title, "", f"Not drawn: no run of these has {metric} by epoch on this disk.")
    with Drawing(title, 2.5 + legend_height(tables)) as drawing:
        axes = drawing.axes()
        lowest, highest = np.inf, 0.0
        for one, table in tables:
            mean = np.nanmean(table, axis=0)
            spread = np.nanstd(table, axis=0, ddof=min(1, len(table) - 1))
            epochs = np.arange(1, len(mean) + 1)
            line = line_of(one.label)
            every = max(1, len(epochs) // 8)
            axes.plot(epochs, mean, **line, label=one.short, lw=1.4, ms=3.5, markevery=every)
            axes.fill_between(
                epochs, mean - spread, mean + spread, color=line["color"], alpha=0.12, lw=0
            )
            lowest, highest = min(lowest, np.nanmin(mean)), max(highest, np.nanmax(mean))
        if lowest > 0 and highest / lowest > WIDE:
            axes.set_yscale("log")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(xlabel="epoch", ylabel=unit)
        drawing.legend()
    seeds = in_seeds(max(len(table) for _, table in tables))
    drawn = [one for one, _ in tables]
    absent = [one.short for one in losses if one not in drawn]
    caption = f"Mean over {seeds}; band: one standard deviation."
    return Panel(title, drawing.svg, caption + _without(absent))


def focal_curves(labels: Sequence[str]) -> Panel:
    """FL(p_t) = -(1 - p_t)^gamma log(p_t) for each gamma that a label has, and cross-entropy."""
    gammas = sorted({0.0, *(float(found[1]) for label in labels if (found := GAMMA.search(label)))})
    title = "The loss as a function of the true class's probability"
    p_t = np.linspace(0.01, 1, 200)
    with Drawing(title, 2.5 + legend_height(gammas)) as drawing:
        axes = drawing.axes()
        for gamma in gammas:
            name = f"gamma {gamma:g}" + (" (cross-entropy)" if gamma == 0 else "")
            curve = -((1 - p_t) ** gamma) * np.log(p_t)
            axes.plot(
                p_t,
                curve,
                **line_of(f"focal(gamma={gamma:g})" if gamma else "ce"),
                label=name,
                lw=1.4,
                ms=3.5,
                markevery=25,
            )
        axes.set(xlabel="p_t", ylabel="FL(p_t)", xlim=(0, 1), ylim=(0, None))
        drawing.legend()
    caption = (
        "FL(p_t) = -(1 - p_t)^gamma log(p_t), without alpha, which scales a curve as a whole. The "
        "larger gamma, the less an example counts that is right already."
    )
    return Panel(title, drawing.svg, caption)


def _without(labels: Sequence[str]) -> str:
    return f" Without {', '.join(labels)}: no epochs on this disk." if labels else ""
