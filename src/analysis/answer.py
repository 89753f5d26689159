"""The whole answer to a comparison, as every output shows it."""

from dataclasses import dataclass

from src.analysis.runs import OTHER, SCORE
from src.analysis.selection import Selection, in_short
from src.analysis.statistics.comparison import Comparison
from src.analysis.statistics.losses import LossSummary, not_compared, summarise
from src.analysis.statistics.paired import compare, corrected
from src.analysis.statistics.recommendation import Recommendation, recommend
from src.errors import UserError


@dataclass(frozen=True)
class Answer:
    """A comparison at one decision, and at the other beside it.

    Attributes:
        selection: the runs.
        decision: the one that is judged, ``argmax`` or ``tuned``.
        comparisons: at that decision.
        others: at the other one; empty where the runs did not record it.
        losses: each loss in each setting.
        left_out: sentences on runs that are in no comparison.
        recommendations: which loss to take, one a setting that is compared.
    """

    selection: Selection
    decision: str
    comparisons: list[Comparison]
    others: list[Comparison]
    losses: list[LossSummary]
    left_out: list[str]
    recommendations: list[Recommendation]

    @property
    def other_decision(self) -> str:
        """The decision that is shown beside."""
        return OTHER[self.decision]

    @property
    def settings(self) -> list[str]:
        """In the order of the comparisons."""
        return list(dict.fromkeys(found.setting for found in self.comparisons))

    def of(self, setting: str) -> list[Comparison]:
        """The comparisons in a setting, best first."""
        return [found for found in self.comparisons if found.setting == setting]

    def other(self, found: Comparison) -> Comparison | None:
        """The same comparison at the other decision."""
        key = (found.setting, found.label)
        return next((one for one in self.others if (one.setting, one.label) == key), None)

    def losses_of(self, setting: str) -> list[LossSummary]:
        """The losses compared in a setting: the baseline first, then the best difference first."""
        found = self.of(setting)
        order = [found[0].baseline, *(one.label for one in found)]
        mine = {one.label: one for one in self.losses if one.setting == setting}
        return [mine[label] for label in order]

    def judged(self, loss: str | None) -> list[Comparison]:
        """The comparisons of one loss, or all.

        Args:
            loss: name or label.

        Raises:
            UserError: where no comparison is about it.
        """
        found = [one for one in self.comparisons if loss in {None, one.loss, one.label}]
        if not found:
            known = ", ".join(dict.fromkeys(one.label for one in self.comparisons))
            raise UserError(f"--loss {loss}: was not compared; there are {known}")
        return found


def answer(selection: Selection, baseline: str, threshold: float, decision: str) -> Answer:
    """Compares the runs of a selection.

    Args:
        selection: the runs.
        baseline: name or label of a loss.
        threshold: gain that counts, percentage points.
        decision: ``argmax`` or ``tuned``.

    Raises:
        UserError: as :func:`src.analysis.statistics.paired.compare` does.
    """
    try:
        comparisons = compare(selection.runs, baseline, threshold, decision)
    except UserError as error:
        raise UserError(f"{error}{in_short(selection.left_out)}") from error
    try:
        others = compare(selection.runs, baseline, threshold, OTHER[decision])
    except UserError:  # recorded by none of the pairs
        others = []
    both = corrected([*comparisons, *others])
    comparisons, others = both[: len(comparisons)], both[len(comparisons) :]
    scored = [run for run in selection.runs if run.score(decision) is not None]
    left_out = [*selection.left_out, *not_compared(scored, comparisons)]
    if len(scored) < len(selection.runs):
        count = len(selection.runs) - len(scored)
        left_out.append(f"{count} run(s) without {SCORE[decision]}; force=true trains them again")
    compared = {found.setting for found in comparisons}
    chosen = [run for run in selection.runs if run.setting in compared]
    return Answer(
        selection,
        decision,
        comparisons,
        others,
        summarise(selection.runs),
        left_out,
        recommend(chosen, baseline, threshold),
    )
