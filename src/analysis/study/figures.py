"""Pictures of the study: every set of a method, mean ranks, and what gains go with."""

import numpy as np
import pandas as pd
import scikit_posthocs

from src.analysis.figures.palette import BLUE, GREEN, RED
from src.analysis.figures.panel import INK, Drawing, Panel
from src.analysis.statistics.paired import THRESHOLD_PP
from src.analysis.study.families import OverFamilies
from src.analysis.study.ranks import Ranks

ROW_HEIGHT, LEAST_HEIGHT = 0.17, 1.4
"""Inches of the forest plot."""
SHOWN = {"argmax": (BLUE, "o", 0.25), "tuned": (RED, "s", 0.0), "prior": (GREEN, "^", -0.25)}
"""Decisions of the forest plot: colour, marker, and how far from the middle of the row."""
AXES = {
    "ratio": "imbalance ratio",
    "rarest_rows": "rows of the rarest class",
    "overlap": "overlap of the classes",
}
LONGEST = 24
"""Characters of a set's name in the forest plot."""


def forest(sets: pd.DataFrame, method: str, baseline: str) -> Panel:
    """Every data set as a row, families together, with its interval at each decision.

    Args:
        sets: see :mod:`src.analysis.study.table`.
        method: the one that is drawn.
        baseline: what it is compared with.
    """
    mine = sets[(sets["method"] == method) & sets["decision"].isin([*SHOWN])]
    order = mine[["family", "data"]].drop_duplicates().sort_values(["family", "data"])
    height_of = {data: -index for index, data in enumerate(order["data"])}
    title = f"{method} minus {baseline}, every set"
    with Drawing(title, LEAST_HEIGHT + ROW_HEIGHT * len(height_of)) as drawing:
        axes = drawing.axes()
        for index, (_, family) in enumerate(order.groupby("family", sort=False)):
            rows = [height_of[data] for data in family["data"]]
            if index % 2:
                axes.axhspan(
                    min(rows) - 0.5, max(rows) + 0.5, color=INK, alpha=0.07, lw=0, zorder=0
                )
        for decision, (colour, marker, shift) in SHOWN.items():
            found = mine[mine["decision"] == decision]
            if found.empty:
                continue
            height = found["data"].map(height_of) + shift
            axes.hlines(height, found["low"], found["high"], color=colour, lw=1)
            axes.plot(found["difference"], height, marker, color=colour, ms=3, label=decision)
        axes.axvline(0, color=INK, lw=1)
        for end in (-THRESHOLD_PP, THRESHOLD_PP):
            axes.axvline(end, color=INK, alpha=0.7, lw=1, ls=":")
        names = [name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…" for name in height_of]
        axes.set_yticks([*height_of.values()], names, fontsize=6.5)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", visible=False)
        axes.set(ylim=(-len(height_of) + 0.4, 0.6), xlim=_middle(mine))
        axes.set_xlabel("test macro F1, pp")
        drawing.legend()
    caption = (
        "Mean difference and 95 % interval of each set, sets of one family on one ground. Dotted: "
        f"{THRESHOLD_PP:g} pp to either side. Intervals may be wider than the picture."
    )
    return Panel(title, drawing.svg, caption)


def critical_differences(ranks: Ranks, decision: str) -> Panel:
    """Mean ranks, and bars that join methods which Nemenyi's test does not tell apart.

    Args:
        ranks: over families.
        decision: what they are at, for the title.
    """
    title = f"Mean ranks over {ranks.rows} families, {decision}"
    with Drawing(title, 1.2 + 0.19 * len(ranks.ranks)) as drawing:
        axes = drawing.axes()
        drawn = scikit_posthocs.critical_difference_diagram(
            ranks.ranks,
            ranks.nemenyi,
            ax=axes,
            label_fmt_left="{label} {rank:.1f}",
            marker_props={"color": BLUE, "s": 14, "zorder": 3},
            elbow_props={"color": INK, "linewidth": 0.8},
            crossbar_props={"color": RED, "linewidth": 2.5},
            left_only=True,
            text_h_margin=0.3,
        )
        for (bar,) in drawn["crossbars"]:  # its points come in the order of a set of names
            bar.set_xdata(sorted(bar.get_xdata()))
        axes.grid(visible=False)
    caption = "1 is best. Methods on one bar are not told apart (Nemenyi's test, 5 %; Demsar 2006)."
    return Panel(title, drawing.svg, caption)


def against_factor(sets: pd.DataFrame, factor: str, slope: OverFamilies | None) -> Panel:
    """Every set's difference over something that is known of it before training.

    Args:
        sets: rows of one method at one decision.
        factor: a column.
        slope: per doubling, or per 0.1 of overlap.
    """
    name = AXES[factor]
    title = f"{sets['method'].iloc[0]} by {name}"
    known = sets[np.isfinite(sets[factor].astype(float))]
    if known.empty:
        return Panel(title, "", f"{name.capitalize()} is not known.")
    with Drawing(title, 2.4) as drawing:
        axes = drawing.axes()
        axes.vlines(known[factor], known["low"], known["high"], color=INK, alpha=0.3, lw=0.8)
        axes.plot(known[factor], known["difference"], "o", color=BLUE, ms=3.5, alpha=0.8)
        axes.axhline(0, color=INK, lw=1)
        if factor != "overlap":
            axes.set_xscale("log", base=2)
            axes.xaxis.set_major_formatter("{x:g}")
        axes.set(xlabel=name, ylabel="pp", ylim=_middle(known))
    unit = "0.1" if factor == "overlap" else "doubling"
    said = f"Slope {slope.text('+.2f')} pp per {unit}." if slope else ""
    return Panel(title, drawing.svg, f"One dot a set, with its 95 % interval. {said}")


def _middle(rows: pd.DataFrame) -> tuple[float, float]:
    """Axis limits that hold every mean and most of the intervals."""
    inner = np.quantile(rows["low"], 0.1), np.quantile(rows["high"], 0.9)
    low = min(inner[0], rows["difference"].min(), -THRESHOLD_PP)
    high = max(inner[1], rows["difference"].max(), THRESHOLD_PP)
    return float(low) - 0.5, float(high) + 0.5
