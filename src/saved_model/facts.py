"""What a saved model needs beside its weights; one JSON file, read without executing anything."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from src.data.tabular.columns import TablePreprocessing
from src.errors import UserError

FILE = "serving.json"
CODE = "code"
"""The folder of modules that travel with a model, beside the file."""
TUNED, ARGMAX = DECISIONS = ("tuned", "argmax")
"""How probabilities become a class: after the offsets tuned on validation rows, or as they are."""
CLASS = "class"
"""The column of the predicted class."""


def probability_column(class_name: str) -> str:
    """The column of a class's probability."""
    return f"probability_{class_name}"


@dataclass(frozen=True)
class ServingFacts:
    """The contract of a saved model.

    Attributes:
        class_names: K names.
        offsets: K numbers, added to the logits before the tuned decision.
        input_shape: of one row of features, as the network takes them.
        feature_names: of the features; None for images.
        table: turns raw rows into features; None where rows are the arrays trained on.
        own_modules: modules of one's own that hold layers or models; they lie beside the file.
    """

    class_names: tuple[str, ...]
    offsets: tuple[float, ...]
    input_shape: tuple[int, ...]
    feature_names: tuple[str, ...] | None
    table: TablePreprocessing | None
    own_modules: tuple[str, ...] = ()

    @property
    def output_columns(self) -> tuple[str, ...]:
        """Names of the columns of a prediction."""
        return (CLASS, *map(probability_column, self.class_names))

    @property
    def columns(self) -> tuple[str, ...] | None:
        """Names of the columns that a row must have; None for images."""
        if self.table:
            return (*self.table.numeric, *self.table.categorical)
        return self.feature_names

    def save(self, folder: Path) -> None:
        """Writes the file into a folder."""
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False, allow_nan=False)
        (folder / FILE).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> ServingFacts:
        """Reads the file of a folder.

        Raises:
            UserError: where it is missing or damaged.
        """
        file = folder / FILE
        try:
            return cls._from_content(json.loads(file.read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise UserError(f"{folder}: holds no {FILE}, so it is no model of this kind") from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise UserError(f"{file}: is damaged: {type(error).__name__}: {error}") from error

    @classmethod
    def _from_content(cls, content: Mapping[str, Any]) -> ServingFacts:
        names = content["feature_names"]
        table = content["table"]
        found = cls(
            class_names=tuple(map(str, content["class_names"])),
            offsets=tuple(map(float, content["offsets"])),
            input_shape=tuple(map(int, content["input_shape"])),
            feature_names=tuple(map(str, names)) if names else None,
            table=TablePreprocessing.from_state(table) if table else None,
            own_modules=tuple(map(str, content["own_modules"])),
        )
        if len(found.offsets) != len(found.class_names):
            raise ValueError("there must be one offset a class")
        return found


def check_decision(decision: Any, source: str) -> str:
    """A decision that there is.

    Args:
        decision: `tuned` or `argmax`.
        source: where it was given, for the error.

    Raises:
        UserError: for anything else.
    """
    if decision not in DECISIONS:
        raise UserError(f"{source}={decision!r}: must be {_either(DECISIONS)}")
    return str(decision)


def _either(words: Sequence[str]) -> str:
    return " or ".join(words)
