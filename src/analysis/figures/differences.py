"""Pictures of paired differences."""

from collections.abc import Sequence

import numpy as np

from src.analysis.figures.palette import colour_of
from src.analysis.figures.panel import Drawing, Panel
from src.analysis.statistics.comparison import Comparison

MOST_ROWS = 40
PAPER = {"facecolor": "white", "edgecolor": "none", "alpha": 0.9, "pad": 0.5}
LABELLED = 12
"""Seeds whose number is under the axis, at most."""


def overview(comparisons: Sequence[Comparison], *, titled: bool) -> Panel:
    """Every comparison as one row: its seeds, its mean, its interval, its setting if ``titled``."""
    rows = comparisons[:MOST_ROWS]
    step = 0.72 if titled else 0.55
    title = "Difference to the baseline"
    with Drawing(title, 0.75 + step * len(rows)) as drawing:
        axes = drawing.axes()
        for index, found in enumerate(rows):
            height, colour = -index, colour_of(found.label)
            seeds = [height - 0.2] * len(found.seeds)
            axes.plot(found.differences, seeds, "o", color=colour, ms=3, alpha=0.6)
            if found.has_interval:
                axes.plot([found.low, found.high], [height] * 2, color=colour, lw=2.5)
            axes.plot([found.mean], [height], "D", color=colour, ms=5)
            name = f"{found.short}\n{found.title}" if titled else found.short
            label = axes.annotate(name, (0, height + 0.17), xycoords=("axes fraction", "data"))
            label.set_bbox(PAPER)
        axes.axvline(0, color="0.2", lw=1)
        axes.axvline(comparisons[0].threshold, color="0.4", lw=1, ls=":")
        axes.set(ylim=(0.6 - len(rows), 0.75 if titled else 0.55), yticks=[])
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(f"test macro F1 minus that of {comparisons[0].base}, pp")
    caption = (
        f"Dots: one seed each; diamond: their mean; bar: its 95 % interval. Dotted line: "
        f"{comparisons[0].threshold:g} pp, the gain that counts."
    )
    if len(comparisons) > len(rows):
        caption += f" The first {len(rows)} of {len(comparisons)}; the table has them all."
    return Panel(title, drawing.svg, caption)


def by_seed(found: Comparison) -> Panel:
    """The difference of each seed as a stem, the mean and its interval as a band."""
    title, colour = f"{found.short}, seed by seed", colour_of(found.label)
    with Drawing(title, 2.3) as drawing:
        axes = drawing.axes()
        indices = np.arange(len(found.seeds))
        gains = np.array(found.differences)
        if found.has_interval:
            axes.axhspan(found.low, found.high, color=colour, alpha=0.15, lw=0)
        axes.axhline(found.mean, color=colour, ls="--", lw=1.2)
        axes.axhline(0, color="0.2", lw=1)
        axes.vlines(indices, 0, gains, color=colour, lw=1.2)
        for better, marker in ((True, "o"), (False, "v")):
            chosen = (gains > 0) == better
            axes.plot(indices[chosen], gains[chosen], marker, color=colour, ms=4)
        shown = indices[:: max(1, -(-len(indices) // LABELLED))]
        axes.set_xticks(shown, [str(found.seeds[index]) for index in shown])
        axes.grid(axis="x", visible=False)
        axes.set(xlabel="seed", ylabel=f"pp over {found.base}")
    caption = "Circles are wins, triangles ties and losses. Dashed: the mean; band: its interval."
    return Panel(title, drawing.svg, caption)
