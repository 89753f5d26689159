"""Pictures of predictions on the test split."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from src.analysis.figures.curves import RECALLS, confusion, mean_precision, reliability
from src.analysis.figures.evidence import LossEvidence
from src.analysis.figures.palette import line_of
from src.analysis.figures.panel import INK, Drawing, Panel
from src.analysis.runs import in_seeds

NUMBERS_UP_TO = 4
NAMES_UP_TO = 20
MATRIX = 2.6
"""Inches of a confusion matrix: two fit on a phone."""
NOTHING = "no run of these has its predictions on this disk"


def confusion_matrix(one: LossEvidence) -> Panel:
    """Counts over all seeds, coloured by the share of the true class."""
    title = f"{one.summary.short}, {one.decision}"
    if not one.predictions:
        return Panel("Confusion matrices", "", NOTHING)
    counts = confusion(one.predictions)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = one.summary.runs[0].class_names
    names = names if len(names) == len(counts) else tuple(map(str, range(len(counts))))
    with Drawing(title, 2.3, MATRIX) as drawing:
        axes = drawing.axes()
        axes.grid(visible=False)
        _draw_shares(axes, shares)
        if len(names) <= NAMES_UP_TO:
            turn = 0 if len(names) <= 3 else 60
            axes.set_xticks(range(len(names)), names, rotation=turn)
            axes.set_yticks(range(len(names)), names)
        axes.set(xlabel="predicted", ylabel="true")
        if len(names) <= NUMBERS_UP_TO:
            for row, column in np.ndindex(counts.shape):
                colour = "white" if shares[row, column] > 0.5 else "black"
                text = f"{100 * shares[row, column]:.1f} %\n{counts[row, column]:,}"
                axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=7.5)
    caption = f"Test splits of {in_seeds(len(one.predictions))}; shares are of a true class."
    return Panel(title, drawing.svg, caption, small=True)


def _draw_shares(axes: Axes, shares: NDArray[np.float64]) -> None:
    """Draws shapes for a few classes, pixels for many, which would be megabytes as shapes."""
    if len(shares) > NAMES_UP_TO:
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="none", aspect="auto")
        return
    edges = np.arange(len(shares) + 1) - 0.5
    axes.pcolormesh(edges, edges, shares, cmap="Blues", vmin=0, vmax=1, edgecolors="white")
    axes.invert_yaxis()


def precision_recall_curves(losses: Sequence[LossEvidence]) -> Panel:
    """Precision over recall of the rarest class, averaged over seeds; the baseline comes first."""
    rare = losses[0].summary.rare
    title = "Precision and recall of the rarest class"
    if rare is None:
        return Panel(title, "", "no run was logged with the counts of its classes")
    curves = [
        (f"{one.summary.short}, AP {area:.3f}", one.summary.label, curve)
        for one in losses
        if one.predictions
        for curve, area in [mean_precision(one.predictions, rare)]
        if curve.size
    ]
    if not curves:
        return Panel(title, "", NOTHING)
    with Drawing(title) as drawing:
        axes = drawing.axes()
        for _, label, curve in curves:
            axes.plot(RECALLS, curve, **line_of(label), lw=1.4, ms=3.5, markevery=12)
        axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    caption = (
        f"Class {losses[0].summary.rare_name}. Best precision at each recall or more; "
        "this and AP are means over seeds. No threshold enters, so losses that differ here differ "
        f"in how they rank. {'; '.join(said for said, _, _ in curves)}."
    )
    return Panel(title, drawing.svg, caption)


def reliability_diagram(losses: Sequence[LossEvidence]) -> Panel:
    """Accuracy over confidence in bins; the baseline comes first."""
    title = "Reliability"
    drawn = [one for one in losses if one.predictions]
    if not drawn:
        return Panel(title, "", NOTHING)
    errors = []
    with Drawing(title, 3.5) as drawing:
        axes, below = drawing.figure.subplots(2, height_ratios=(4, 1), sharex=True)
        axes.plot([0, 1], [0, 1], color=INK, lw=1, alpha=0.5)
        lowest = 1.0
        for one in drawn:
            line = line_of(one.summary.label)
            confidence, accuracy, share = reliability(one.predictions)
            ece = one.summary.scores(one.decision)["test_ece"]
            errors += [] if ece is None else [f"{one.summary.short}, ECE {ece:.3f}"]
            counts = share * sum(len(each.y_true) for each in one.predictions)
            axes.plot(confidence, accuracy, **line, lw=1.2, ms=4)
            below.plot(confidence, counts, **line, lw=1.2, ms=3)
            lowest = min(lowest, confidence.min(initial=1))
        axes.set(ylabel="accuracy", xlim=(lowest - 0.03, 1.02), ylim=(0, 1.04))
        below.set(xlabel="confidence", ylabel="rows", yscale="symlog", ylim=(0, None))
    caption = (
        "Accuracy at each confidence (probability of the class it names), 15 bins over all seeds; "
        "below, the test rows in each. Under the straight line: too sure; above: not sure enough. "
        f"{'; '.join(errors)}{'.' if errors else ''}"
    )
    return Panel(title, drawing.svg, caption)
