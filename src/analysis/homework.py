"""The lesson's homework: focal loss against cross-entropy as the lesson sets them, PASS or FAIL."""

from dataclasses import dataclass

from src.analysis.answer import Answer
from src.analysis.runs import LEARNING_RATE
from src.analysis.statistics.comparison import Comparison
from src.errors import UserError
from src.runs.labels import SAMPLED_BY

FOCAL, BASELINE, RATE = "focal(gamma=2, alpha=0.25)", "ce", "0.001"


@dataclass(frozen=True)
class Homework:
    """The lesson's comparison, and what becomes of it when each loss is tuned.

    Attributes:
        given: at the lesson's settings.
        at_best: each loss at its best; None where nothing was tuned.
        recommended: whether the recommendation is the homework's loss all the same.
    """

    given: Comparison
    at_best: Comparison | None = None
    recommended: bool = False

    @property
    def passed(self) -> bool:
        """Whether the lesson would accept it."""
        return self.verdict == "PASS"

    @property
    def verdict(self) -> str:
        """PASS for a gain that counts with an interval above 0, else FAIL; neither for one seed."""
        if len(self.given.seeds) < 2:
            return f"not judged, {self.given.estimate.design.one_seed}"
        return "PASS" if self.given.mean >= self.given.threshold and self.given.low > 0 else "FAIL"

    @property
    def text(self) -> str:
        """Verdict and both comparisons, in a few lines."""
        asked = f"{self.given.threshold:g} pp"
        tuned = "Each loss at its best is not known; tuning=learning_rate finds it"
        if self.at_best:
            tuned = f"Each loss at its best: {self.at_best.headline}"
        also = ""
        if self.recommended and not self.passed:
            also = "\n  The recommendation asks less: the best of all on validation, by any lead"
        return (
            f"Homework: {self.verdict}\n  At the lesson's settings, learning rate {RATE} (a gain "
            f"of {asked} is asked for): {self.given.headline}\n  {tuned}{also}"
        )


def homework(answer: Answer) -> Homework:
    """Finds the lesson's comparison among those at given settings.

    Raises:
        UserError: where it is not there.
    """
    losses = [*answer.given_losses, *answer.losses[answer.decision]]
    at_rate = {
        loss.setting
        for loss in losses
        if loss.runs[0].params.get(LEARNING_RATE) == RATE and not loss.runs[0].tuned
    }
    found = [
        one
        for one in (*answer.given, *answer.comparisons)
        if one.label == FOCAL and one.baseline == BASELINE and one.setting in at_rate
    ]
    if not found:
        raise UserError(
            f"--homework: no {FOCAL} against {BASELINE} at {LEARNING_RATE}={RATE} is among the "
            "runs; make homework trains them"
        )
    best = [
        one
        for one in answer.comparisons
        if one.loss == found[0].loss
        and SAMPLED_BY not in one.label
        and found[0].setting in answer.given_of(one.setting)
    ]
    advised = any(one.label == FOCAL for one in answer.recommendations)
    return Homework(found[0], best[0] if best else None, advised)
