"""What the report says of images: class counts, what losses judge differently, worst mistakes.

The predictions are those of one seed, since the test images of another may be others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from src.analysis.answer import Answer
from src.analysis.figures.evidence import Predictions, read_predictions, split_counts
from src.analysis.report.judgements import Judgements, Mistakes, Shown
from src.analysis.report.text import HOW
from src.analysis.report.thumbnails import NotShownError, test_images
from src.analysis.runs import FinishedRun
from src.analysis.statistics.losses import LossSummary
from src.data.dataset import Dataset

IMAGE_RANK = 3
"""Of the shape of one image: height, width, channels."""
MOST_LOSSES = 4
"""Losses whose judgements are shown, the baseline among them."""
MOST_CLASSES = 30
"""Classes whose rows are counted; the rarest in training first."""


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
    page = Judgements(run, losses, predictions, dataset)
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
