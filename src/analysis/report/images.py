"""What the report says of images: class counts, what losses judge differently, worst mistakes.

The predictions are those of one seed, since the test images of another may be others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from src.analysis.answer import Answer
from src.analysis.figures.evidence import Predictions, read_predictions, split_counts
from src.analysis.report.text import HOW
from src.analysis.report.thumbnails import NotShownError, name_of, test_images, thumbnail
from src.analysis.runs import FinishedRun
from src.analysis.statistics.losses import LossSummary
from src.data.dataset import Dataset

IMAGE_RANK = 3
"""Of the shape of one image: height, width, channels."""
MOST_LOSSES = 4
"""Losses whose judgements are shown, the baseline among them."""
MOST_JUDGED = 12
"""Images that losses judge differently."""
MOST_MISTAKES = 6
"""Of one loss."""
MOST_CLASSES = 30
"""Classes whose rows are counted; the rarest in training first."""


@dataclass(frozen=True)
class Said:
    """What a loss says of an image.

    Attributes:
        label: of the loss, for its colour.
        name: of the class that it calls.
        probability: of that class, in per cent, as text.
        right: whether the image is of that class.
    """

    label: str
    name: str
    probability: str
    right: bool


@dataclass(frozen=True)
class Shown:
    """One test image.

    Attributes:
        src: data URI.
        name: its file, or its number.
        true: name of its class.
        said: by loss.
    """

    src: str
    name: str
    true: str
    said: list[Said]


@dataclass(frozen=True)
class Mistakes:
    """The rarest class under one loss, or all classes.

    Attributes:
        label: of the loss.
        short: as people read it.
        missed: how many of the test images are called something else.
        images: the worst of them, the least probable first.
    """

    label: str
    short: str
    missed: int
    images: list[Shown]


@dataclass(frozen=True)
class ImageSection:
    """The section on images of one setting.

    Attributes:
        counts: rows of each class by split, ``(class, training, validation, test)``.
        more_classes: how many are not among them.
        seed: whose test images these are; None where no predictions can be read.
        how: by which decision, for people.
        differences: a sentence for each loss but the baseline.
        judged: images on which the losses disagree.
        rare: name of the rarest class; empty where all are equally frequent in training.
        tested_rare: its test images, or all of them.
        mistakes: by loss.
        not_shown: why there are no pictures; empty where there are.
    """

    counts: list[tuple[str, ...]]
    more_classes: int
    seed: int | None = None
    how: str = ""
    differences: list[str] = field(default_factory=list)
    judged: list[Shown] = field(default_factory=list)
    rare: str = ""
    tested_rare: int = 0
    mistakes: list[Mistakes] = field(default_factory=list)
    not_shown: str = ""


def image_section(answer: Answer, setting: str, *, pictures: bool = True) -> ImageSection | None:
    """The section for a setting; None where its data are no images.

    Args:
        answer: the comparison.
        setting: one of its settings.
        pictures: whether thumbnails go into the page.
    """
    losses = [row.loss for row in answer.rows(setting)[:MOST_LOSSES]]
    base = losses[0]
    if len(base.runs[0].input_shape) != IMAGE_RANK:
        return None
    counts, more = _counts(base.runs[0])
    found = _one_seed(losses, answer.decision)
    if found is None:
        return ImageSection(counts, more, not_shown="no predictions of one seed are on this disk")
    run, predictions = found
    y = predictions[0].y_true
    rare = base.rare if len(set(base.runs[0].class_counts)) > 1 else None
    dataset, reason = _images(run, y, pictures=pictures)
    page = _Page(run, losses, predictions, dataset)
    return ImageSection(
        counts,
        more,
        seed=run.seed,
        how=HOW[answer.decision],
        differences=page.differences(),
        judged=page.judged(),
        rare="" if rare is None else page.name(rare),
        tested_rare=len(y) if rare is None else int(np.count_nonzero(y == rare)),
        mistakes=page.mistakes(rare),
        not_shown=reason,
    )


def _images(
    run: FinishedRun, y: NDArray[np.int64], *, pictures: bool
) -> tuple[Dataset | None, str]:
    """The data of a run, or why its images are not shown."""
    if not pictures:
        return None, "report.images=false"
    try:
        dataset = test_images(run)
    except NotShownError as error:
        return None, str(error)
    same = np.array_equal(dataset.y_test, y)
    return (dataset, "") if same else (None, "the run's predictions are of other test images")


def _counts(run: FinishedRun) -> tuple[list[tuple[str, ...]], int]:
    """Rows of each class by split, the rarest in training first, and how many are left out."""
    splits = [list(run.class_counts), *split_counts(run)]
    names = run.class_names or tuple(map(str, range(len(run.class_counts))))
    order = sorted(range(len(run.class_counts)), key=lambda k: run.class_counts[k])
    rows = [(names[k], *(f"{each[k]:,}" for each in splits)) for k in order[:MOST_CLASSES]]
    return rows, max(len(order) - MOST_CLASSES, 0)


def _one_seed(
    losses: Sequence[LossSummary], decision: str
) -> tuple[FinishedRun, list[Predictions]] | None:
    """The run of the baseline with the first seed that every loss has, and what each predicts."""
    by_seed = [{run.seed: run for run in loss.runs} for loss in losses]
    for seed in losses[0].seeds:
        runs = [of_loss[seed] for of_loss in by_seed if seed in of_loss]
        if len(runs) < len(losses) or len({run.fingerprint for run in runs}) > 1:
            continue
        found = [read_predictions(run, decision) for run in runs]
        known = [one for one in found if one is not None]
        if len(known) == len(losses):
            return runs[0], known
    return None


class _Page:
    """What losses say of the test images of one seed.

    Args:
        run: of the baseline.
        losses: the baseline first.
        predictions: of each.
        dataset: has the images; None where there are none to show.
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

    def name(self, k: int) -> str:
        """Of class number K."""
        return self._names[k] if k < len(self._names) else str(k)

    def differences(self) -> list[str]:
        """How often each loss and the baseline differ, and which of them is right then."""
        base, sentences = self._losses[0], []
        for loss, said, right in zip(self._losses, self._said, self._right, strict=True):
            if loss is base:
                continue
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

    def mistakes(self, rare: int | None) -> list[Mistakes]:
        """Of each loss, the images of a class, or of all, whose truth it finds least probable."""
        found = []
        for number, loss in enumerate(self._losses):
            rows = np.flatnonzero(~self._right[number] & ((self._y == rare) | (rare is None)))
            worst = rows[np.argsort(self._of_truth[number][rows], kind="stable")][:MOST_MISTAKES]
            data = self._dataset
            images = [self._shown(data, int(row), [number]) for row in worst] if data else []
            found.append(Mistakes(loss.label, loss.short, len(rows), images))
        return found

    def _shown(self, dataset: Dataset, row: int, losses: Sequence[int]) -> Shown:
        said = [
            Said(
                label=self._losses[number].label,
                name=self.name(k := int(self._said[number, row])),
                probability=f"{100 * self._probabilities[number][row, k]:.0f} %",
                right=bool(self._right[number, row]),
            )
            for number in losses
        ]
        true = self.name(int(self._y[row]))
        return Shown(thumbnail(dataset, row), name_of(dataset, row), true, said)
