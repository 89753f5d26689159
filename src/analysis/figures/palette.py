"""How each loss is drawn: by its name and knobs alone, so that it looks the same in every chart."""

import re
from typing import Any
from zlib import crc32

from src.runs.labels import MADE_WITH, SAMPLED_BY

GREY, ORANGE, SKY, GREEN = "#767676", "#E69F00", "#56B4E9", "#009E73"
BLUE, RED, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
"""Okabe and Ito's colours, told apart by colour-blind eyes; for their black a grey that is seen on
white and on black. Yellow is too faint on white."""
COLOURS = (RED, BLUE, GREEN, PURPLE, ORANGE, SKY)
DASHES: tuple[Any, ...] = (
    *("-", "--", "-.", ":"),
    *((0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 1))),
)
MARKERS = "os^DvPX"
GLYPHS = dict(zip(MARKERS, "●■▲◆▼✚✖", strict=True))
"""The markers as text."""
BY_NAME: dict[str, tuple[str, int, str]] = {
    "ce": (GREY, 0, "o"),
    "focal": (RED, 1, "s"),
    "weighted_ce": (BLUE, 2, "^"),
    "class_balanced_focal": (PURPLE, 4, "D"),
    "logit_adjusted": (GREEN, 3, "v"),
    "ldam": (ORANGE, 5, "P"),
    "asymmetric": (SKY, 6, "X"),
    "focal_by_class": (RED, 4, "v"),
    "ldam_drw": (ORANGE, 2, "X"),
    "label_smoothing": (GREY, 5, "^"),
    "gce": (GREEN, 6, "s"),
    "poly": (BLUE, 3, "D"),
    "soft_f1": (PURPLE, 0, "P"),
}
"""Colour, dashes and marker of each loss of conf/loss: no line is told by its colour alone."""
GAMMA = re.compile(r"\bgamma=([0-9.eE+-]+)")
USUAL_KNOBS = {"", "alpha=0.25", "beta=0.999", "alpha=auto", "tau=1", "max_margin=0.5, scale=1"}
"""Beside gamma; other ones change the dashes."""
USUAL_GAMMA = 2.0
"""Drawn in the loss's own colour; smaller ones lighter, larger ones darker."""
STRONGEST = 0.55
"""Share of white or of black in the shades at the ends."""


def colour_of(label: str) -> str:
    """The colour of a loss, as ``#rrggbb``."""
    return str(line_of(label)["color"])


def line_of(label: str) -> dict[str, Any]:
    """Colour, dashes and marker of a label such as ``focal(gamma=2, alpha=0.25)``, for matplotlib.

    The name gives the colour, gamma the shade, other knobs and a sampling the dashes.
    """
    loss, _, sampling = label.partition(SAMPLED_BY)
    made = MADE_WITH.fullmatch(loss)
    name, knobs = (made[1], made[2]) if made else (loss, "")
    of_its_own = COLOURS[_any_of(name, 6)], _any_of(f"{name} ", 7), MARKERS[_any_of(f" {name}", 7)]
    colour, dashes, marker = BY_NAME.get(name, of_its_own)
    gamma = GAMMA.search(knobs)
    rest = GAMMA.sub("", knobs).strip(" ,")
    if rest not in USUAL_KNOBS:
        dashes += _any_of(rest, len(DASHES) - 1) + 1
    if sampling:
        dashes += _any_of(sampling, len(DASHES) - 1) + 1
        marker = MARKERS[_any_of(sampling, len(MARKERS))]
    shade = colour if gamma is None else _shaded(colour, float(gamma[1]))
    return {"color": shade, "ls": DASHES[dashes % len(DASHES)], "marker": marker}


def _any_of(text: str, count: int) -> int:
    """A number below COUNT that is the same for a text in every process."""
    return crc32(text.encode()) % count


def _shaded(colour: str, gamma: float) -> str:
    """The colour with white for a gamma below the usual one, with black for one above it."""
    away = (gamma - USUAL_GAMMA) / (max(gamma, 0) + USUAL_GAMMA)
    share, end = STRONGEST * abs(away), 0 if away > 0 else 255
    parts = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(part + share * (end - part)):02X}" for part in parts)
