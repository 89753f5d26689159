"""One panel: a small matplotlib figure as inline SVG, with text that stays text."""

import html
import io
import re
from dataclasses import dataclass
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

WIDTH = 3.75
"""Inches: 360 CSS pixels, so that a phone shows the panel at its size."""
WIDE = 10.5
"""Inches of a picture over the whole width, which a phone does not show."""
INK = "#010203"
"""Drawn in the colour of the page's text, so that it is read on white and on black."""
STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 8.5,
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "grid.color"), INK),
    **dict.fromkeys(("xtick.color", "ytick.color"), INK),
    **dict.fromkeys(("figure.facecolor", "axes.facecolor"), "none"),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.18,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "axes.titlesize": 9,
}


@dataclass(frozen=True)
class Panel:
    """A picture between title and caption; without one, the caption says why it was not drawn.

    Attributes:
        title: above it.
        svg: the picture.
        caption: below it.
        narrow: what a phone shows in its place; empty for the same.
        small: whether two stand beside each other on a phone.
    """

    title: str
    svg: str
    caption: str
    narrow: str = ""
    small: bool = False


class Drawing:
    """A figure under way, of a size in inches; after the ``with`` block, take :attr:`svg`."""

    def __init__(self, title: str, height: float = 2.9, width: float = WIDTH) -> None:
        self._title, self._size = title, (width, height)
        style: Any = STYLE | {"svg.hashsalt": title}
        self._style = rc_context(style)
        self.svg = ""

    def __enter__(self) -> "Drawing":
        self._style.__enter__()
        self.figure = Figure(figsize=self._size, layout="constrained")
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            self.svg = _inline(self.figure, self._title)
        self._style.__exit__(None, None, None)

    def axes(self) -> Axes:
        """The panel's only axes."""
        return self.figure.add_subplot()

    def legend(self) -> None:
        """The lines' names under the axes, one per row."""
        self.figure.legend(loc="outside lower left", ncols=1, handlelength=3.5)


def _inline(figure: Figure, title: str) -> str:
    stream = io.StringIO()
    FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    text = re.sub(r'<g id="[^"]*"', "<g", text[text.index("<svg") :])
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = text.replace(INK, "currentColor")
    return text.replace("<svg", f'<svg role="img" aria-label="{html.escape(title)}"', 1)
