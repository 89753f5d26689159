"""How the file that a table came from was laid out, for whoever brings new rows of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TableLayout:
    """Every column of a file in its order, used or not.

    Attributes:
        columns: their names; `column_0`, `column_1`, ... where the file has none.
        label: the name of the one that holds the class.
        header: whether the first row of a text file holds the names.
        delimiter: one character between cells, where it is not the one that the suffix says.
    """

    columns: tuple[str, ...]
    label: str
    header: bool
    delimiter: str | None

    def state(self) -> dict[str, Any]:
        """All of it as what JSON can hold."""
        return {
            "columns": list(self.columns),
            "label": self.label,
            "header": self.header,
            "delimiter": self.delimiter,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> TableLayout:
        """Makes it again from what `state` gave."""
        delimiter = state["delimiter"]
        return cls(
            tuple(state["columns"]),
            str(state["label"]),
            bool(state["header"]),
            None if delimiter is None else str(delimiter),
        )
