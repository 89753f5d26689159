"""Whether advice before training is worth anything: every family of the study left out once."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from src.analysis.study.advice import CANDIDATE, FEATURES, IN_WORDS, StudySets, predict_gains
from src.analysis.study.families import OverFamilies, mean_over_families
from src.analysis.study.prediction import BY_CHANCE
from src.analysis.study.table import ANY_NETWORK, ANY_REFERENCE, CHOSEN

POOLS = ("networks", "networks and references")
AVERAGE, PREDICTED, PLAIN, VALIDATION = CHOICES = (
    "the best on average over the other families",
    "the best by prediction from the other families",
    "cross-entropy at argmax, whatever the table",
    "each network trained, the best by validation on the table",
)


@dataclass(frozen=True)
class AdviceCheck:
    """The worth of advice on each family, given from the study of all the others.

    Attributes:
        methods: one row per method and decision, the baseline aside: ``sets``, ``families``,
            ``average`` gain over cross-entropy at argmax; ``error_of_average`` and ``error``, root
            mean squares over families of what the average of the other families and the prediction
            from them were off, percentage points; ``coverage``, the share of the intervals for a
            new set that hold its gain; ``predicted``, that of the families for which the features
            were used.
        regrets: by pool and choice (``POOLS``, ``CHOICES``), macro F1 short of the best candidate
            of each set, percentage points.
        saved: by pool, the regret of the best on average minus that of the best by prediction.
        sets: how many sets were predicted.
        families: of how many families.
    """

    methods: pd.DataFrame
    regrets: dict[tuple[str, str], OverFamilies]
    saved: dict[str, OverFamilies]
    sets: int
    families: int

    @property
    def conclusion(self) -> str:
        """Whether prediction beats the average, in words."""
        shown = self.methods
        better = int((shown["error"] < shown["error_of_average"]).sum())
        used = int((shown["predicted"] > 0.5).sum())
        networks = shown[shown["kind"] == "network"]
        off, plain = (np.sqrt((networks[n] ** 2).mean()) for n in ("error", "error_of_average"))
        saved = self.saved[POOLS[0]]
        verdict = "better" if saved.low > 0 else "worse" if saved.high < 0 else "undecided"
        return (
            f"By {', '.join(IN_WORDS[name] for name in FEATURES)}, {used} of {len(shown)} gains "
            "are predicted better than by the average, by more than one standard error (by chance "
            f"some {BY_CHANCE * len(shown):.0f} would be); the error on families left out is "
            f"smaller for {better}. Gains of networks are {off:.2f} pp off in root mean square by "
            f"this advice and {plain:.2f} pp by the average. To choose a network by prediction, "
            f"not as the best on average, changes macro F1 by {saved.value:+.2f} pp "
            f"[{saved.low:.2f}, {saved.high:.2f}]: {verdict}. The 95 % intervals for a new set "
            f"hold its gain in {100 * shown['coverage'].mean():.0f} %."
        )


def check_advice(table: pd.DataFrame) -> AdviceCheck:
    """Predicts every set of a study from the families that it is not of.

    Args:
        table: of the study; see :mod:`src.analysis.study.table`.
    """
    sets = StudySets.of_table(table)
    family = sets.facts["family"]
    found = pd.concat(
        predict_gains(sets.of(family != name), sets.facts[family == name])
        for name in family.unique()
    )
    gains = sets.gains.stack(CANDIDATE, future_stack=True).rename("gain").reset_index()
    found = found.merge(gains, on=["data", *CANDIDATE]).dropna(subset="gain")
    found["family"] = found["data"].map(family)
    regrets = {(pool, choice): r for pool in POOLS for choice, r in _regrets(found, pool)}
    saved = {pool: regrets[pool, AVERAGE] - regrets[pool, PREDICTED] for pool in POOLS}

    def over_families(by_set: pd.Series) -> OverFamilies:
        known = by_set.dropna()
        return mean_over_families(known, family[known.index])

    return AdviceCheck(
        methods=_methods(found),
        regrets={key: over_families(one) for key, one in regrets.items() if one.notna().any()},
        saved={pool: over_families(one) for pool, one in saved.items()},
        sets=len(family),
        families=family.nunique(),
    )


def _methods(found: pd.DataFrame) -> pd.DataFrame:
    """One row for each candidate but the baseline, which never gains; a family counts once."""
    held = found["gain"].between(found["low"], found["high"])
    rows = found[[*CANDIDATE, "family", "data", "gain"]].assign(
        error_of_average=(found["gain"] - found["average"]) ** 2,
        error=(found["gain"] - found["expected"]) ** 2,
        coverage=held.astype(float),
        predicted=found["predicts"].astype(float),
    )
    of_families = rows.groupby([*CANDIDATE, "family"]).mean(numeric_only=True)
    methods = of_families.groupby(CANDIDATE).mean().rename(columns={"gain": "average"})
    errors = ["error_of_average", "error"]
    methods[errors] = np.sqrt(methods[errors])
    counted = rows.groupby(CANDIDATE)[["data", "family"]].nunique()
    methods = counted.set_axis(["sets", "families"], axis=1).join(methods)
    return methods[methods["error_of_average"] > 0].reset_index()


def _regrets(found: pd.DataFrame, pool: str) -> Iterator[tuple[str, pd.Series]]:
    """Macro F1 by which each choice falls short of the best candidate, by set."""
    wide = found.pivot_table(
        index="data", columns=CANDIDATE, values=["gain", "expected", "average"], dropna=False
    )
    gain = wide["gain"]
    kind, method, decision = (gain.columns.get_level_values(name) for name in CANDIDATE)
    own = ~method.isin([ANY_NETWORK, ANY_REFERENCE]) & (decision != CHOSEN)
    own &= (kind == "network") | (pool != POOLS[0])
    best = gain.loc[:, own].max(axis=1)
    for choice, by in ((AVERAGE, "average"), (PREDICTED, "expected")):
        taken = wide[by].loc[:, own].where(gain.loc[:, own].notna()).to_numpy()
        picked = np.nanargmax(taken, axis=1)
        yield choice, best - gain.loc[:, own].to_numpy()[np.arange(len(gain)), picked]
    yield PLAIN, best
    validated = ("network", ANY_NETWORK, CHOSEN)
    if validated in gain:
        yield VALIDATION, best - gain[validated]
