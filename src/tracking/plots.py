"""The two pictures of a run: its confusion matrix and its learning curves."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.image import AxesImage, imsave
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.text import Text
from numpy.typing import NDArray

NUMBERS_UP_TO = 12
"""Counts are written into the cells of matrices up to this many classes."""
SHADES = colormaps["Blues"]
LONGEST = 20
"""Letters of a class name that are shown."""
INCHES_A_LETTER = 0.09
CURVES = ("loss", "val_loss", "f1_macro", "val_f1_macro")
TRAIN, VALIDATION = "#0072B2", "#D55E00"
"""Okabe and Ito's blue and vermilion, told apart by colour-blind eyes too."""


def plot_confusion(file: Path, counts: NDArray[np.int64], names: Sequence[str]) -> None:
    """Draws a confusion matrix: colour is the share of the true class, numbers are counts.

    Args:
        file: PNG to write.
        counts: shape (K, K), rows true, columns predicted.
        names: K class names.
    """
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    canvas, empty, image, numbers = _confusion_figure(tuple(names))
    colours = SHADES(shares, bytes=True)
    colours[counts == 0, 3] = 0  # shows what is there: a cell with a 0
    image.set_data(colours)
    shown = []
    for text, count, share in zip(numbers, counts.flat, shares.flat, strict=False):
        if count:
            text.set(text=str(count), color="white" if share > 0.5 else "black")
            shown.append(text)
    canvas.restore_region(empty)
    for artist in (image, *image.axes.spines.values(), *shown):
        artist.draw(canvas.get_renderer())
    _save(canvas, file)


@lru_cache(maxsize=4)
def _confusion_figure(
    names: tuple[str, ...],
) -> tuple[FigureCanvasAgg, Any, AxesImage, list[Text]]:
    """A figure for such classes, drawn with no examples: most cells of most runs have none.

    Returns:
        The canvas, its pixels, the image of shape (K, K), and the texts of its cells, row by row,
        if any.
    """
    classes = len(names)
    shown = [name if len(name) <= LONGEST else name[: LONGEST - 1] + "…" for name in names]
    side = min(1.8 + 0.45 * classes, 13.0)
    margin = 0.7 + INCHES_A_LETTER * max(map(len, shown))
    # Places in inches: a layout engine would draw everything twice to find them.
    width, height = margin + side + 1.3, margin + side + 0.4
    figure = Figure(figsize=(width, height))
    bottom = margin / height
    axes = figure.add_axes((margin / width, bottom, side / width, side / height))
    axes.set_facecolor(SHADES(0.0))
    image = axes.imshow(np.zeros((classes, classes, 4), np.uint8), aspect="auto")
    bar = figure.add_axes(((margin + side + 0.2) / width, bottom, 0.2 / width, side / height))
    figure.colorbar(ScalarMappable(cmap=SHADES), cax=bar, label="share of the true class")
    if classes <= 4 * NUMBERS_UP_TO:
        axes.set_xticks(range(classes), shown, rotation=45, ha="right")
        axes.set_yticks(range(classes), shown)
    axes.set(xlabel="predicted", ylabel="true", title="Confusion matrix, test split")
    cells = np.ndindex(classes, classes) if classes <= NUMBERS_UP_TO else ()
    numbers = [axes.text(column, row, "0", ha="center", va="center") for row, column in cells]
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return canvas, canvas.copy_from_bbox(figure.bbox), image, numbers


def plot_curves(file: Path, history: Sequence[Mapping[str, float]], best_epoch: int) -> None:
    """Draws loss and macro F1 by epoch, training and validation, the best epoch marked.

    Args:
        file: PNG to write.
        history: one row an epoch.
        best_epoch: counted from 1.
    """
    points = {
        name: [(row["epoch"], row[name]) for row in history if name in row] for name in CURVES
    }
    figure, curves, marks = _curves_figure(tuple(name for name in CURVES if points[name]))
    for name, curve in curves.items():
        curve.set_data(*zip(*points[name], strict=True))
    for mark, legend in marks:
        mark.set_xdata([best_epoch, best_epoch])
        legend.get_texts()[-1].set_text(f"best epoch ({best_epoch})")
    for axes in figure.axes:
        axes.relim()
        axes.autoscale_view()
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    _save(canvas, file)


@lru_cache(maxsize=4)
def _curves_figure(
    names: tuple[str, ...],
) -> tuple[Figure, dict[str, Line2D], list[tuple[Line2D, Legend]]]:
    """A figure for such curves, without their points.

    Returns:
        The figure, the curves by name, and the mark of the best epoch with the legend of each half.
    """
    figure = Figure(figsize=(9.0, 3.4))
    figure.subplots_adjust(left=0.07, right=0.99, bottom=0.14, top=0.97, wspace=0.24)
    curves, marks = {}, []
    for axes, metric in zip(figure.subplots(1, 2), ("loss", "f1_macro"), strict=True):
        for prefix, label, colour in (("", "training", TRAIN), ("val_", "validation", VALIDATION)):
            if prefix + metric in names:
                style = "--" if prefix == "" else "-"
                (curves[prefix + metric],) = axes.plot([], [], style, color=colour, label=label)
        mark = axes.axvline(1, color="0.6", linewidth=1, label="best epoch")
        axes.set(xlabel="epoch", ylabel={"f1_macro": "macro F1"}.get(metric, metric))
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.25)
        marks.append((mark, axes.legend(frameon=False)))
    return figure, curves, marks


def _save(canvas: FigureCanvasAgg, file: Path) -> None:
    quick, no_version = {"compress_level": 1}, cast(Any, {"Software": None})
    imsave(file, canvas.buffer_rgba(), format="png", metadata=no_version, pil_kwargs=quick)
