"""The whole answer to a comparison, as every output shows it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from src.analysis.card import Card, Statement, card
from src.analysis.for_scale import ForScale, for_scale
from src.analysis.notes import (
    bridge,
    budget_notes,
    choice_notes,
    left_out_notes,
    scores_in_sight,
    search_notes,
    seeds_note,
    split_notes,
    untuned_note,
)
from src.analysis.runs import CRITERIA, OTHER, SHOWN, with_titles
from src.analysis.selection import Selection, in_short
from src.analysis.statistics.comparison import Comparison
from src.analysis.statistics.losses import LossRow, LossSummary, summarise
from src.analysis.statistics.paired import compare, corrected
from src.analysis.statistics.recommendation import Recommendation, recommend
from src.analysis.tuned import Best, Values, at_best
from src.errors import UserError, words

if TYPE_CHECKING:
    from src.analysis.homework import Homework


@dataclass(frozen=True)
class Answer:
    """A comparison at one decision, and at the other beside it.

    Where the runs tune anything, each loss is at its best, and at the given settings beside it.

    Attributes:
        selection: the runs.
        decision: the one that is judged.
        comparisons: at that decision; within a setting, best on the validation split first.
        others: at the other one; empty where the runs did not record it.
        given: at the settings that the trials had, at the decision that is judged.
        losses: each loss in each setting, by decision.
        given_losses: the same at given settings.
        best: what was chosen, by decision.
        left_out: sentences on runs that are in no comparison.
        choices: what each loss was tuned to in a setting, as sentences, by setting.
        limits: what its comparisons do not know, in the same way.
        recommendations: which loss to take, one a setting that is compared.
        scale: what estimators that are no networks make of the same splits, by setting.
        homework: the lesson's own comparison, where it was asked for.
    """

    selection: Selection
    decision: str
    comparisons: list[Comparison]
    others: list[Comparison]
    given: list[Comparison]
    losses: dict[str, list[LossSummary]]
    given_losses: list[LossSummary]
    best: dict[str, Best]
    left_out: list[str]
    recommendations: list[Recommendation]
    choices: dict[str, list[str]] = field(default_factory=dict)
    limits: dict[str, list[str]] = field(default_factory=dict)
    scale: dict[str, ForScale] = field(default_factory=dict)
    homework: "Homework | None" = None

    @property
    def other_decision(self) -> str:
        """The decision that is shown beside."""
        return OTHER[self.decision]

    @property
    def settings(self) -> list[str]:
        """Each once, in the order of the comparisons."""
        return list(dict.fromkeys(found.setting for found in self.comparisons))

    @property
    def notes(self) -> dict[str, list[str]]:
        """All that has to be said of a setting beside its comparisons, by setting."""
        return {one: [*self.choices[one], *self.limits[one]] for one in self.settings}

    @property
    def cards(self) -> list[Card]:
        """The answer at first sight, one a setting."""
        return [card(self, setting) for setting in self.settings]

    def statements(self, advice: Recommendation) -> list[Statement]:
        """What to take in a setting; a reference that leads comes first, another one behind."""
        scale, head = self.scale.get(advice.setting), "Recommendation"
        where = f" for {advice.title}" if len(self.recommendations) > 1 else ""
        found, aside = [], scale.sentence if scale else ""
        if scale and scale.leads:
            found.append(Statement("", scale.sentence, scale.advice, scale.command))
            head, aside = f"{head} among the losses", ""
        own = (advice.sentence, advice.details, advice.command, aside)
        return [*found, Statement(f"{head}{where}", *own)]

    def base(self, setting: str) -> LossSummary:
        """The scores of the baseline in a setting."""
        return self.rows(setting)[0].loss

    def of(self, setting: str) -> list[Comparison]:
        """The comparisons in a setting, best on the validation split first."""
        return [found for found in self.comparisons if found.setting == setting]

    def advice(self, setting: str) -> list[Recommendation]:
        """The recommendation in a setting; empty where its losses share no seed."""
        return [one for one in self.recommendations if one.setting == setting]

    def first(self, setting: str) -> Comparison:
        """The comparison of the recommended loss; the first of all where that is the baseline."""
        labels, found = {one.label for one in self.advice(setting)}, self.of(setting)
        return next((one for one in found if one.label in labels), found[0])

    def rows(self, setting: str) -> list[LossRow]:
        """The losses of a setting: the baseline first, then in the order of the comparisons."""
        found, others = (
            {one.label: one for one in several if one.setting == setting}
            for several in (self.comparisons, self.others)
        )
        losses, beside = (
            {one.label: one for one in self.losses[decision] if one.setting == setting}
            for decision in (self.decision, self.other_decision)
        )
        labels = [self.of(setting)[0].baseline, *found]
        return [
            LossRow(losses[one], found.get(one), beside.get(one), others.get(one)) for one in labels
        ]

    def by_validation(self, setting: str) -> list[LossRow]:
        """All losses of a setting, best on the validation split first."""
        name = CRITERIA[self.decision]
        return sorted(self.rows(setting), key=lambda row: -row.loss.means.get(name, 0.0))

    def given_of(self, setting: str) -> dict[str, Values]:
        """The given settings that its runs were chosen from, with their values."""
        return self.best[self.decision].given.get(setting, {})

    def at_given(self, setting: str) -> list[Comparison]:
        """The comparisons at these settings, loss by loss, in their order."""
        order = list(self.given_of(setting))
        mine = [one for one in self.given if one.setting in order]
        return sorted(mine, key=lambda one: (one.label, order.index(one.setting)))

    def judged(self, loss: str | None) -> list[Comparison]:
        """The comparisons of one loss, given by name or label, or all.

        Raises:
            UserError: where no comparison is about it.
        """
        found = [one for one in self.comparisons if loss in {None, one.loss, one.label, one.short}]
        if not found:
            known = words(dict.fromkeys(one.label for one in self.comparisons))
            raise UserError(f"--loss {loss}: was not compared; there are {known}")
        return found


def answer(
    selection: Selection,
    baseline: str,
    threshold: float,
    decision: str,
    *,
    anytime: bool = False,
) -> Answer:
    """Compares the runs of a selection, each loss at its best where they tune anything.

    The arguments are those of :func:`src.analysis.statistics.paired.compare`.

    Raises:
        UserError: as :func:`src.analysis.statistics.paired.compare` and
            :func:`src.analysis.tuned.at_best` do.
    """
    other = OTHER[decision]
    try:
        best = {decision: at_best(selection.runs, decision, selection.tuned)}
        judged = compare(best[decision].runs, baseline, threshold, decision, anytime=anytime)
    except UserError as error:
        shown = scores_in_sight(selection, decision) + in_short(selection.left_out)
        raise UserError(f"{error}{shown}") from error
    try:
        best[other] = at_best(selection.runs, other, selection.tuned)
        beside = compare(best[other].runs, baseline, threshold, other, anytime=anytime)
    except UserError:  # recorded by none of the pairs
        best[other], beside = Best(), []
    best |= {one: at_best(selection.runs, one, selection.tuned) for one in SHOWN if one not in best}
    losses = {each: summarise(found.runs) for each, found in best.items()}
    both = corrected([*judged, *beside])
    comparisons = _by_validation(both[: len(judged)], losses[decision], decision)
    trials = {setting for given in best[decision].given.values() for setting in given}
    tried = [run for run in with_titles(selection.runs) if run.setting in trials]
    given = compare(tried, baseline, threshold, decision, anytime=anytime) if tried else []
    given_losses = summarise(tried)
    compared = {found.setting for found in comparisons}
    chosen = {each: [run for run in best[each].runs if run.setting in compared] for each in SHOWN}
    advice = [
        replace(one, sentence=f"{one.sentence}{bridge(one, both)}")
        for one in recommend(chosen, baseline, threshold)
    ]
    scale = [
        for_scale(selection.references, one, chosen, (decision, other), threshold, anytime=anytime)
        for one in advice
    ]
    found = Answer(
        selection=selection,
        decision=decision,
        comparisons=comparisons,
        others=_by_validation(both[len(judged) :], losses[other], other),
        given=_by_validation(given, given_losses, decision),
        losses=losses,
        given_losses=given_losses,
        best=best,
        left_out=left_out_notes(selection, [*comparisons, *given], decision),
        recommendations=advice,
        scale={one.setting: one for one in scale if one},
    )
    for setting in found.settings:
        chosen_there = [one for one in best[decision].choices if one.setting == setting]
        found.choices[setting] = choice_notes(chosen_there)
        found.limits[setting] = [*search_notes(chosen_there), *_limits(found, setting)]
    return found


def _by_validation(
    comparisons: Sequence[Comparison], losses: Sequence[LossSummary], decision: str
) -> list[Comparison]:
    """Sorted by validation score within each setting: the test scores have no part in the order."""
    scores = {(one.setting, one.label): one.means.get(CRITERIA[decision], 0.0) for one in losses}
    settings = list(dict.fromkeys(one.setting for one in comparisons))
    return sorted(
        comparisons,
        key=lambda one: (settings.index(one.setting), -scores[one.setting, one.label]),
    )


def _limits(found: Answer, setting: str) -> list[str]:
    losses = [row.loss for row in found.rows(setting)]
    seeds = {seed for one in found.of(setting) for seed in one.seeds}
    limits = [
        *budget_notes(losses),
        untuned_note(losses[0].runs[0], found.selection.command),
        seeds_note(found.selection, seeds),
        *split_notes(found.first(setting)),
    ]
    return [one for one in limits if one]
