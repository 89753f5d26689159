"""How losses judge the test images of one seed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from src.analysis.figures.evidence import Predictions
from src.analysis.report.thumbnails import thumbnail
from src.analysis.runs import FinishedRun
from src.analysis.statistics.losses import LossSummary
from src.data.dataset import Dataset

MOST_JUDGED = 12
"""Images that losses judge differently."""
MOST_MISTAKES = 6
"""Of one loss."""


@dataclass(frozen=True)
class Said:
    """The class that a loss gives an image, with its probability in per cent."""

    label: str
    name: str
    probability: str
    right: bool


@dataclass(frozen=True)
class Shown:
    """One test image as a data URI, its file or number, its class, and what each loss says."""

    src: str
    name: str
    true: str
    said: list[Said]


class Judgements:
    """The classes that losses give the test images of one seed.

    Args:
        run: of the baseline.
        losses: the baseline first.
        predictions: of each.
        dataset: has the images; None where there are none to show.

    Attributes:
        seed: of the run.
        rare: name of the rarest class; empty where all are equally frequent in training.
        tested_rare: how many test images are of that class, or of any.
    """

    def __init__(
        self,
        run: FinishedRun,
        losses: Sequence[LossSummary],
        predictions: Sequence[Predictions],
        dataset: Dataset | None,
    ) -> None:
        self._names, self._losses, self._dataset = run.class_names, losses, dataset
        self._y = predictions[0].y_true
        self._said = np.array([one.y_pred for one in predictions])
        self._right = self._said == self._y
        self._probabilities = [one.probabilities for one in predictions]
        rows = np.arange(len(self._y))
        self._of_truth = np.array([one[rows, self._y] for one in self._probabilities])
        rare = losses[0].rare if len(set(losses[0].runs[0].class_counts)) > 1 else None
        self._asked = (self._y == rare) | (rare is None)
        self.seed, self.rare = run.seed, "" if rare is None else self._name(rare)
        self.tested_rare = int(np.count_nonzero(self._asked))

    def differences(self) -> list[str]:
        """How often each loss and the baseline differ, and which of them is right then."""
        base, sentences = self._losses[0], []
        for loss, said, right in zip(
            self._losses[1:], self._said[1:], self._right[1:], strict=True
        ):
            differ = int(np.count_nonzero(said != self._said[0]))
            alone = int(np.count_nonzero(right & ~self._right[0]))
            base_alone = int(np.count_nonzero(self._right[0] & ~right))
            sentences.append(
                f"{loss.short} and {base.short} differ on {differ:,} of {len(self._y):,}: "
                f"{loss.short} alone is right on {alone:,}, {base.short} alone on {base_alone:,}."
            )
        return sentences

    def judged(self) -> list[Shown]:
        """Images that some loss gets right and another wrong.

        As many are shown that the baseline gets right as that it gets wrong, as far as there are,
        those first on which the probabilities of the true class differ most.
        """
        if self._dataset is None:
            return []
        spread = np.ptp(self._of_truth, axis=0)
        mixed = self._right.any(axis=0) & ~self._right.all(axis=0)
        sides = [
            sorted(np.flatnonzero(mixed & side).tolist(), key=lambda row: (-spread[row], row))
            for side in (self._right[0], ~self._right[0])
        ]
        shares = [MOST_JUDGED - min(len(other), MOST_JUDGED // 2) for other in reversed(sides)]
        chosen = [row for side, share in zip(sides, shares, strict=True) for row in side[:share]]
        return [self._shown(self._dataset, row, range(len(self._losses))) for row in chosen]

    def mistakes(self) -> list[tuple[LossSummary, int, list[Shown]]]:
        """Each loss, how many test images it misses, and the worst of them, the worst first.

        They are of the rarest class, where there is one; worse is what it finds less probable.
        """
        found = []
        for number, loss in enumerate(self._losses):
            rows = np.flatnonzero(~self._right[number] & self._asked)
            worst = rows[np.argsort(self._of_truth[number][rows], kind="stable")][:MOST_MISTAKES]
            data = self._dataset
            images = [self._shown(data, int(row), [number]) for row in worst] if data else []
            found.append((loss, len(rows), images))
        return found

    def _shown(self, dataset: Dataset, row: int, losses: Sequence[int]) -> Shown:
        said = [
            Said(
                label=self._losses[number].label,
                name=self._name(k := int(self._said[number, row])),
                probability=f"{100 * self._probabilities[number][row, k]:.0f} %",
                right=bool(self._right[number, row]),
            )
            for number in losses
        ]
        ids = getattr(dataset, "test_ids", None)
        name = str(ids[row]) if ids else f"test image {row}"
        return Shown(thumbnail(dataset, row), name, self._name(int(self._y[row])), said)

    def _name(self, k: int) -> str:
        return self._names[k] if k < len(self._names) else str(k)
