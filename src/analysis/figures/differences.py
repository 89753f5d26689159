"""The differences of each seed, all losses on one axis."""

from collections.abc import Sequence

import numpy as np

from src.analysis.figures.palette import line_of
from src.analysis.figures.panel import INK, WIDE, WIDTH, Drawing, Panel
from src.analysis.statistics.comparison import Comparison

LABELLED = 12
"""Seeds whose number is under the axis, at most."""
SPREAD = 0.5
"""Share of the room of one seed over which its losses are spread."""


def by_seed(comparisons: Sequence[Comparison]) -> Panel:
    """The difference of each seed and loss."""
    title = "Difference of each seed"
    caption = (
        f"Test macro F1 minus that of {comparisons[0].base} with the same seed, all losses on one "
        "axis; shaded: what counts as equal in practice."
    )
    wide, narrow = (_drawn(comparisons, title, width) for width in (WIDE, WIDTH))
    return Panel(title, wide, caption, narrow)


def _drawn(comparisons: Sequence[Comparison], title: str, width: float) -> str:
    seeds = sorted({seed for one in comparisons for seed in one.seeds})
    index = {seed: at for at, seed in enumerate(seeds)}
    shifts = np.linspace(-SPREAD / 2, SPREAD / 2, len(comparisons) + 2)[1:-1]
    with Drawing(title, 2.6, width) as drawing:
        axes, limit = drawing.axes(), comparisons[0].threshold
        axes.axhspan(-limit, limit, color=INK, alpha=0.08, lw=0)
        axes.axhline(0, color=INK, lw=1)
        for shift, one in zip(shifts, comparisons, strict=True):
            line = line_of(one.label)
            places = np.array([index[seed] for seed in one.seeds]) + shift
            axes.vlines(places, 0, one.differences, color=line["color"], lw=1)
            axes.plot(places, one.differences, line["marker"], color=line["color"], ms=4)
        shown = seeds[:: max(1, -(-len(seeds) // LABELLED))]
        axes.set_xticks([index[seed] for seed in shown], [str(seed) for seed in shown])
        axes.grid(axis="x", visible=False)
        axes.set(xlabel="seed", ylabel=f"pp over {comparisons[0].base}")
    return drawing.svg
