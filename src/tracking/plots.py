"""The two pictures of a run: its confusion matrix and its learning curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

DPI = 110
NUMBERS_UP_TO = 12
"""Counts are written into the cells of matrices up to this many classes."""
LONGEST = 20
"""Letters of a class name that are shown."""
INCHES_A_LETTER = 0.09
TRAIN, VALIDATION = "#0072B2", "#D55E00"
"""Okabe and Ito's blue and vermilion, told apart by colour-blind eyes too."""


def plot_confusion(file: Path, counts: NDArray[np.int64], names: Sequence[str]) -> None:
    """Draws a confusion matrix: colour is the share of the true class, numbers are counts.

    Args:
        file: PNG to write.
        counts: shape (K, K), rows true, columns predicted.
        names: K class names.
    """
    classes = len(names)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shown = [name if len(name) <= LONGEST else name[: LONGEST - 1] + "…" for name in names]
    side = min(1.8 + 0.45 * classes, 13.0)
    margin = 0.7 + INCHES_A_LETTER * max(map(len, shown))
    # Places in inches: a layout engine would draw everything twice to find them.
    width, height = margin + side + 1.3, margin + side + 0.4
    figure = Figure(figsize=(width, height))
    bottom = margin / height
    axes = figure.add_axes((margin / width, bottom, side / width, side / height))
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    bar = figure.add_axes(((margin + side + 0.2) / width, bottom, 0.2 / width, side / height))
    figure.colorbar(image, cax=bar, label="share of the true class")
    if classes <= 4 * NUMBERS_UP_TO:
        axes.set_xticks(range(classes), shown, rotation=45, ha="right")
        axes.set_yticks(range(classes), shown)
    axes.set(xlabel="predicted", ylabel="true", title="Confusion matrix, test split")
    if classes <= NUMBERS_UP_TO:
        for row, column in np.ndindex(classes, classes):
            dark = shares[row, column] > 0.5
            axes.text(
                column,
                row,
                str(counts[row, column]),
                ha="center",
                va="center",
                color="white" if dark else "black",
            )
    _save(figure, file)


def plot_curves(file: Path, history: Sequence[Mapping[str, float]], best_epoch: int) -> None:
    """Draws loss and macro F1 by epoch, training and validation, the best epoch marked.

    Args:
        file: PNG to write.
        history: one row an epoch.
        best_epoch: counted from 1.
    """
    figure = Figure(figsize=(9.0, 3.4))
    figure.subplots_adjust(left=0.07, right=0.99, bottom=0.14, top=0.97, wspace=0.18)
    for axes, metric in zip(figure.subplots(1, 2), ("loss", "f1_macro"), strict=True):
        for prefix, name, colour in (("", "training", TRAIN), ("val_", "validation", VALIDATION)):
            points = [
                (row["epoch"], row[prefix + metric]) for row in history if prefix + metric in row
            ]
            if points:
                style = "--" if prefix == "" else "-"
                axes.plot(*zip(*points, strict=True), style, color=colour, label=name)
        axes.axvline(best_epoch, color="0.6", linewidth=1, label=f"best epoch ({best_epoch})")
        axes.set(xlabel="epoch", ylabel={"f1_macro": "macro F1"}.get(metric, metric))
        axes.grid(alpha=0.25)
        axes.legend(frameon=False)
    _save(figure, file)


def _save(figure: Figure, file: Path) -> None:
    quick = {"compress_level": 1}
    FigureCanvasAgg(figure).print_png(str(file), metadata={"Software": None}, pil_kwargs=quick)
