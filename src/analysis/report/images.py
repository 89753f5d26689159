"""What the report says of images: class counts, what losses judge differently, worst mistakes.

The predictions are those of one seed, since the test images of another may be others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from src.analysis.answer import Answer
from src.analysis.figures.evidence import Predictions, read_predictions, rows_by_class
from src.analysis.report.judgements import Judgements
from src.analysis.report.thumbnails import load_images
from src.analysis.runs import FinishedRun
from src.analysis.statistics.losses import LossSummary

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
        counts: classes with their rows by split.
        more_classes: how many are not among them.
        judgements: of the losses; None where no predictions can be read.
        not_shown: why there are no pictures; empty where there are.
    """

    counts: list[tuple[str, tuple[int, ...]]]
    more_classes: int
    judgements: Judgements | None
    not_shown: str


def image_section(answer: Answer, setting: str, *, pictures: bool = True) -> ImageSection | None:
    """The section for a setting, without pictures numbers alone; None where it has no images."""
    losses = [row.loss for row in answer.rows(setting)[:MOST_LOSSES]]
    run = losses[0].runs[0]
    if len(run.input_shape) != IMAGE_RANK:
        return None
    counts = rows_by_class(run)
    shown, more = counts[:MOST_CLASSES], max(len(counts) - MOST_CLASSES, 0)
    found = _one_seed(losses, answer.decision)
    if found is None:
        return ImageSection(shown, more, None, "no predictions of one seed are on this disk")
    run, predictions = found
    dataset, reason = None, "report.images=false"
    if pictures:
        dataset, reason = load_images(run, predictions[0].y_true)
    return ImageSection(shown, more, Judgements(run, losses, predictions, dataset), reason)


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
