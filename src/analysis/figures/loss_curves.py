"""Each loss of one example of the rarest class, by the probability of its true class."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from src.analysis.figures.palette import line_of
from src.analysis.figures.panel import Drawing, Panel
from src.analysis.statistics.losses import LossSummary
from src.runs.labels import KNOB, MADE_WITH, SAMPLED_BY, short_label

Curve = NDArray[np.float64]
GRID = np.linspace(0.01, 0.99, 99)
"""Probabilities of the true class; the others share the rest alike."""
TARGET, OURS = "loss.fn._target_", ("src.components.", "keras.losses.")


def _values(name: str, log_p: Curve, counts: Curve, knobs: Mapping[str, float]) -> Any:
    """A loss by its name in ``conf/loss``, up to a factor such as alpha and class weights.

    ``log_p`` are log-probabilities, shape (n, K), the true class first; ``counts`` are the training
    rows of the classes. None for a loss that is no function of one example.
    """
    log_t = log_p[:, 0]
    p_t = np.exp(log_t)
    found: Any = None
    match name:
        case "ce" | "weighted_ce":
            found = -log_t
        case "focal" | "focal_by_class" | "class_balanced_focal":
            found = -((1 - p_t) ** knobs["gamma"]) * log_t
        case "label_smoothing":
            share = knobs["smoothing"]
            found = -(1 - share) * log_t - share * log_p.mean(axis=1)
        case "gce":
            found = (1 - np.exp(knobs["q"] * log_t)) / knobs["q"]
        case "poly":
            found = -log_t + knobs["epsilon"] * (1 - p_t)
        case "logit_adjusted":
            found = -log_softmax(log_p + knobs["tau"] * np.log(counts / counts.sum()), axis=1)[:, 0]
        case "ldam" | "ldam_drw":
            margins = np.where(np.arange(len(counts)) == 0, knobs["max_margin"], 0.0)
            found = -log_softmax(knobs["scale"] * (log_p - margins), axis=1)[:, 0]
        case "asymmetric":
            wrong = np.maximum(np.exp(log_p[:, 1:]) - knobs["margin"], 0)
            negative = -(wrong ** knobs["gamma_neg"]) * np.log(1 - wrong)
            found = -((1 - p_t) ** knobs["gamma_pos"]) * log_t + negative.sum(axis=1)
    return found


def loss_curve(label: str, counts: Sequence[int]) -> Curve | None:
    """A loss at ``GRID``, divided by its value at the first of these.

    Args:
        label: with its knobs.
        counts: training rows of each class; the rarest is the true one.

    Returns:
        None for a loss that has no formula here, such as one of whole batches.
    """
    made = MADE_WITH.fullmatch(label)
    name, knobs = (made[1], KNOB.findall(made[2])) if made else (label, [])
    of_others = np.log((1 - GRID) / (len(counts) - 1))[:, None]
    log_p = np.hstack([np.log(GRID)[:, None], np.repeat(of_others, len(counts) - 1, axis=1)])
    numbers = {}
    for key, value in knobs:
        with suppress(ValueError):  # one number for each class is a factor
            numbers[key] = float(value)
    try:
        curve = _values(name, log_p, np.array(sorted(counts), np.float64), numbers)
    except KeyError:  # somebody's own loss of the same name
        return None
    return None if curve is None else curve / curve[0]


def loss_curves(losses: Sequence[LossSummary]) -> Panel | None:
    """Every loss that ran in one setting, on one scale; None where no loss has a formula here."""
    title = "The losses as functions of the true class's probability"
    counts = losses[0].runs[0].class_counts or (1, 1)
    labels = dict.fromkeys(one.label.partition(SAMPLED_BY)[0] for one in losses if _ours(one))
    known = {label: loss_curve(label, counts) for label in labels}
    drawn = {label: curve for label, curve in known.items() if curve is not None}
    if not drawn:
        return None
    with Drawing(title, 2.9 + 0.17 * len(drawn)) as drawing:
        axes = drawing.axes()
        for label, curve in drawn.items():
            line = line_of(label)
            axes.plot(GRID, curve, **line, lw=1.4, ms=3.5, markevery=12, label=short_label(label))
        axes.set(xlabel="p_t", ylabel="loss / loss at p_t = 0.01", xlim=(0, 1), ylim=(0, 1.02))
        drawing.legend()
    absent = [one.short for one in losses if one.label.partition(SAMPLED_BY)[0] not in drawn]
    caption = (
        "One example of the rarest class, the other classes with equal shares of the rest. Each "
        "loss is divided by its value at p_t = 0.01, so that class weights and alpha, which scale "
        "a whole curve, drop out: the lower a curve, the less an example counts that is right."
    )
    caption += f" Without {', '.join(absent)}." if absent else ""
    return Panel(title, drawing.svg, caption)


def _ours(loss: LossSummary) -> bool:
    return loss.runs[0].params.get(TARGET, OURS[0]).startswith(OURS)
