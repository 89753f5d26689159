"""The facts that a saved model needs beside its weights: one JSON file that runs no code."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

from src.data.images.preprocessing import ImagePreprocessing
from src.data.tabular.columns import TablePreprocessing
from src.errors import UserError, naming
from src.saved_model.decisions import ARGMAX, PRIOR, TUNED

FILE = "serving.json"
CODE = "code"
"""The folder of modules that travel with a model, beside the file."""
CLASS = "class"
"""The column of the predicted class."""
IMAGE = "image"
"""The column of pictures."""


def probability_column(class_name: str) -> str:
    """The column of a class's probability."""
    return f"probability_{class_name}"


def weights_file(decision: str) -> str:
    """Weights of a decision, beside the file, where its best epoch is not that of argmax."""
    return f"{decision}.weights.h5"


@dataclass(frozen=True)
class ServingFacts:
    """The contract of a saved model.

    Attributes:
        class_names: K names.
        offsets: K numbers, added to the logits before the tuned decision.
        input_shape: of one row of features, as the network takes them.
        feature_names: of the features; None for images.
        table: turns raw rows into features; None where rows are pictures or the arrays trained on.
        own_modules: modules of one's own that hold layers or models; they lie beside the file.
        tuned_weights: whether the tuned decision has weights of its own.
        prior_offsets: K numbers, added before the decision by prior; empty in older models.
        prior_weights: whether that decision has weights of its own.
        images: how pictures are read; None where rows are none.
    """

    class_names: tuple[str, ...]
    offsets: tuple[float, ...]
    input_shape: tuple[int, ...]
    feature_names: tuple[str, ...] | None
    table: TablePreprocessing | None
    own_modules: tuple[str, ...] = ()
    tuned_weights: bool = False
    prior_offsets: tuple[float, ...] = ()
    prior_weights: bool = False
    images: ImagePreprocessing | None = None

    def __post_init__(self) -> None:
        if len(self.offsets) != len(self.class_names):
            raise ValueError("there must be one offset for each class")
        if self.images and self.images.input_shape != self.input_shape:
            raise ValueError("pictures are read in another shape than the network takes")

    def offsets_of(self, decision: str) -> tuple[float, ...]:
        """The numbers that a decision adds to the logits.

        Raises:
            UserError: where the model was saved before it had that decision.
        """
        zeros = (0.0,) * len(self.class_names)
        found = {ARGMAX: zeros, TUNED: self.offsets, PRIOR: self.prior_offsets}[decision]
        if not found:
            raise UserError(
                f"decision={decision}: this model was saved without it; tuned or argmax is right, "
                "or force=true trains it again"
            )
        return found

    @property
    def own_weights(self) -> tuple[str, ...]:
        """Decisions with weights of their own."""
        known = {TUNED: self.tuned_weights, PRIOR: self.prior_weights}
        return tuple(decision for decision, own in known.items() if own)

    @property
    def output_columns(self) -> tuple[str, ...]:
        """Names of the columns of a prediction."""
        return (CLASS, *map(probability_column, self.class_names))

    @property
    def columns(self) -> tuple[str, ...] | None:
        """Names of the columns that a row must have; None for arrays without names."""
        if self.images:
            return (IMAGE,)
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
        if not file.is_file():
            raise UserError(f"{folder}: holds no {FILE}, so it is no model of this kind")
        with naming(file, "is damaged"):
            content = json.loads(file.read_text(encoding="utf-8"))
            return TypeAdapter(cls).validate_python(content)
