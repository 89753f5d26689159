"""The forest plot: every comparison on one axis, in numbers that the report's template draws.

Horizontal places are percentages, so that the same drawing fills a desk and a phone with text of
one size.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.ticker import MaxNLocator

from src.analysis.answer import Answer
from src.analysis.figures.palette import colour_of
from src.analysis.runs import DECISIONS
from src.analysis.statistics.comparison import Comparison

MOST_LOSSES = 40
"""Losses of all settings that are drawn; the table has them all."""
MOST_GIVEN = 5
"""Given settings beside each loss at its best, at most."""
MARGIN = 2.0
"""Percent of the width at each end."""


@dataclass(frozen=True)
class Mark:
    """One comparison; mean, ends of the interval and seeds are places within the picture.

    Attributes:
        name: ``argmax``, ``tuned``, or a given value such as ``at 0.003``.
        form: ``argmax``, ``tuned``, ``prior`` or ``given``: how its mean is drawn.
        found: the comparison.
        x: of the mean.
        cut: ends that lie beyond the picture: their places, and a mark that points there.
    """

    name: str
    form: str
    found: Comparison
    x: float
    low: float
    high: float
    cut: list[tuple[float, str]]
    seeds: list[float]


@dataclass(frozen=True)
class Forest:
    """All rows and their axis.

    Attributes:
        rows: the losses of each setting with their colours and marks.
        ticks: places and texts.
        zero: place of no difference.
        region: place and width of the region of practical equivalence.
        absent: losses that were too many to draw.
        best: what each loss was chosen over, in words; empty at given settings.
    """

    rows: list[tuple[str, str, list[Mark]]]
    ticks: list[tuple[float, str]]
    zero: float
    region: tuple[float, float]
    absent: int
    best: str


def forest(answer: Answer) -> Forest:
    """Each loss at both decisions, and at given settings where it was chosen from a few of them."""
    shown = answer.comparisons[:MOST_LOSSES]
    rows = [_comparisons(answer, one) for one in shown]
    low, high = _limits([found for row in rows for _, _, found in row])

    def place(value: float) -> float:
        share = (min(max(value, low), high) - low) / (high - low)
        return round(MARGIN + (100 - 2 * MARGIN) * share, 3)

    def mark(name: str, form: str, found: Comparison) -> Mark:
        start, end = (found.low, found.high) if found.has_interval else (found.mean, found.mean)
        dots = [] if form == "given" else [place(d) for d in found.differences if low <= d <= high]
        cut = [(place(low), "◂")] if start < low else []
        cut += [(place(high), "▸")] if end > high else []
        return Mark(name, form, found, place(found.mean), place(start), place(end), cut, dots)

    ticks = [one for one in MaxNLocator(7).tick_values(low, high) if low <= one <= high]
    edge = place(-shown[0].threshold)
    several = len(answer.settings) > 1
    return Forest(
        rows=[
            (one.title if several else "", colour_of(one.label), [mark(*entry) for entry in row])
            for one, row in zip(shown, rows, strict=True)
        ],
        ticks=[(place(one), f"{one:+g}" if one else "0") for one in ticks],
        zero=place(0),
        region=(edge, place(shown[0].threshold) - edge),
        absent=len(answer.comparisons) - len(shown),
        best=shown[0].tuning if answer.given else "",
    )


def _comparisons(answer: Answer, one: Comparison) -> list[tuple[str, str, Comparison]]:
    """The comparisons of one loss with names and forms, by decision, then at given settings."""
    both = [
        found
        for found in (*answer.comparisons, *answer.others)
        if (found.setting, found.label) == (one.setting, one.label)
    ]
    both.sort(key=lambda found: DECISIONS.index(found.decision))
    rows = [(found.decision, found.decision, found) for found in both]
    values = answer.given_of(one.setting)
    given = [found for found in answer.at_given(one.setting) if found.label == one.label]
    if len(given) <= MOST_GIVEN:
        rows += [
            (f"at {' '.join(values[found.setting])}, {found.decision}", "given", found)
            for found in given
        ]
    return rows


def _limits(every: Sequence[Comparison]) -> tuple[float, float]:
    """Percentage points that hold every mean, the region, and most of the intervals."""
    bounded = [one for one in every if one.has_interval]
    means, threshold = [one.mean for one in every], every[0].threshold
    lows, highs = [one.low for one in bounded] or means, [one.high for one in bounded] or means
    low = min(float(np.quantile(lows, 0.1)), *means, -1.5 * threshold, -0.5)
    high = max(float(np.quantile(highs, 0.9)), *means, 1.5 * threshold, 0.5)
    return low - 0.03 * (high - low), high + 0.03 * (high - low)
