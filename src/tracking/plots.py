"""Draws a run's confusion matrix and training curves as PNG files."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from src.runs.recorded import record

NUMBERS_UP_TO = 12
"""Counts are written into the cells of matrices up to this many classes."""
NAMES_UP_TO = 48
"""Classes are named at the axes of matrices up to this many."""
LONGEST = 20
"""Letters of a class name that are shown."""
INCHES_A_LETTER = 0.09
CURVES = {"loss": "loss", "f1_macro": "macro F1"}
"""Metrics that are drawn by epoch, and their labels."""
HALVES = {"": ("training", "#0072B2", "--"), "val_": ("validation", "#D55E00", "-")}
"""Label, colour (Okabe and Ito's blue and vermilion) and line of each split, by metric's prefix."""
PNG: dict[str, Any] = {"metadata": {"Software": None}, "pil_kwargs": {"compress_level": 1}}
"""No version in the file, so that the same run gives the same bytes; little compression."""


def draw_pictures(folder: Path, best_epoch: int) -> None:
    """Draws the pictures of a run into its folder: curves only where it has epochs.

    Args:
        folder: holds the run's history and confusion matrix.
        best_epoch: counted from 1; 0 where there are none.

    Raises:
        OSError: where a file cannot be read or written.
    """
    _draw_confusion(folder)
    if best_epoch:
        _draw_curves(folder, best_epoch)


def _draw_confusion(folder: Path) -> None:
    """Colour is the share of the true class; numbers are counts, or a scale of colours."""
    with (folder / record.CONFUSION).open(encoding="utf-8", newline="") as stream:
        names, *rows = csv.reader(stream)
    counts, classes = np.array(rows, dtype=np.int64), len(names)
    shown = [name if len(name) <= LONGEST else name[: LONGEST - 1] + "…" for name in names]
    # Margins in inches: a layout engine would draw everything twice to find them.
    side = min(1.8 + 0.45 * classes, 13.0)
    margin = 0.7 + INCHES_A_LETTER * max(map(len, shown))
    right = 0.3 if classes <= NUMBERS_UP_TO else 1.3
    width, height = margin + side + right, margin + side + 0.4
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((margin / width, margin / height, side / width, side / height))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(shares, colormaps["Blues"], vmin=0, vmax=1, aspect="auto")
    axes.set(xlabel="predicted", ylabel="true", title="Confusion matrix, test split")
    if classes <= NAMES_UP_TO:
        axes.set_xticks(range(classes), shown, rotation=45, ha="right")
        axes.set_yticks(range(classes), shown)
    if classes <= NUMBERS_UP_TO:
        for row, column in np.argwhere(counts):
            colour = "white" if shares[row, column] > 0.5 else "black"
            count = str(counts[row, column])
            axes.text(column, row, count, ha="center", va="center", color=colour)
    else:
        left = (margin + side + 0.2) / width
        scale = figure.add_axes((left, margin / height, 0.2 / width, side / height))
        figure.colorbar(image, cax=scale, label="share of the true class")
    figure.savefig(folder / record.CONFUSION_PLOT, **PNG)


def _draw_curves(folder: Path, best_epoch: int) -> None:
    """Loss and macro F1 by epoch, training and validation, the best epoch marked."""
    history = record.read_history(folder / record.HISTORY)
    figure = Figure(figsize=(9.0, 3.4))
    figure.subplots_adjust(left=0.07, right=0.99, bottom=0.14, top=0.97, wspace=0.24)
    halves = figure.subplots(1, 2)
    for axes, (metric, label) in zip(halves, CURVES.items(), strict=True):
        for prefix, (split, colour, line) in HALVES.items():
            key = prefix + metric
            points = [(row["epoch"], row[key]) for row in history if key in row]
            if points:
                axes.plot(*zip(*points, strict=True), linestyle=line, color=colour, label=split)
        axes.axvline(best_epoch, color="0.6", linewidth=1, label=f"best epoch ({best_epoch})")
        axes.set(xlabel="epoch", ylabel=label)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.25)
    halves[0].legend(frameon=False)
    figure.savefig(folder / record.CURVES_PLOT, **PNG)
