"""Tables on the terminal, as wide as it is: some columns go before a name does."""

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from src.runs.labels import encodable

PIPED = 130
"""Columns where the output is no terminal."""
LONGEST_NAME, FOLDED_NAME = 30, 18
"""Characters of a name in a line, and where scores would have to go; the rest goes below."""
GAP = 2
"""Columns between two columns."""
Columns = Mapping[str, Sequence[str]]


def terminal() -> Console:
    """The terminal, or a file or pipe of a fixed width."""
    console = Console()
    return console if console.is_terminal else Console(width=PIPED)


def narrow_table(
    console: Console,
    head: str,
    names: Sequence[str],
    columns: Columns,
    *,
    goes_first: Sequence[str] = (),
    goes_last: Sequence[str] = (),
    left: Sequence[str] = (),
) -> Table:
    """A table no wider than the console; a cell may have several lines.

    Args:
        console: where it is shown; its encoding may have no Greek letters.
        head: of the names.
        names: one a row, never left out.
        columns: the cells by their head; one without any text is left out.
        goes_first: columns that are left out one by one where there is no room.
        goes_last: the same, once the names are folded.
        left: columns of text, which begin at the left.
    """

    def plain(text: str) -> str:
        return encodable(text, console.encoding)

    widths = {name: GAP + _width([name, *cells]) for name, cells in columns.items()}
    name_width = min(_width([head, *names]), LONGEST_NAME)
    kept = [name for name, cells in columns.items() if any(cells)]

    def room_for_names() -> int:
        return console.width - GAP - sum(widths[one] for one in kept)

    for name in goes_first:
        if name in kept and room_for_names() < name_width:
            kept.remove(name)
    for name in goes_last:
        if name in kept and room_for_names() < min(FOLDED_NAME, name_width):
            kept.remove(name)
    name_width = max(min(name_width, room_for_names()), min(FOLDED_NAME, name_width))
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(head, overflow="fold", min_width=name_width)
    for name in kept:
        side = "left" if name in left else "right"
        table.add_column(plain(name), justify=side, overflow="fold")  # type: ignore[arg-type]
    for row in zip(names, *(columns[name] for name in kept), strict=True):
        table.add_row(*map(plain, row))
    return table


def _width(cells: Sequence[str]) -> int:
    return max(len(line) for cell in cells for line in cell.split("\n"))
