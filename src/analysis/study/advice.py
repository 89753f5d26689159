"""Expected gains on a table before anything is trained on it, from a study over data sets."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from src.analysis.statistics.paired import THRESHOLD_PP
from src.analysis.study.prediction import LEAST_FAMILIES, Array, GainPredictor
from src.analysis.study.table import ANY_NETWORK, ANY_REFERENCE, CHOSEN
from src.errors import UserError

FEATURES = ("ratio", "rarest_rows", "columns", "overlap")
"""Facts that gains are predicted from, as logarithms but for the overlap, which is a share."""
CANDIDATE = ["kind", "method", "decision"]
FACTS = ("data", "family", "rows", "classes", *FEATURES)
NEEDED = (*FACTS, *CANDIDATE, "over_argmax")
FEWEST_FAMILIES = LEAST_FAMILIES + 1
"""So that enough are left where one is left out."""
FACTOR, APART = 2.0, 0.1
"""A set is like another where size, columns and ratio are within this factor, overlaps this far."""
REFERENCE_AHEAD = ("reference", "reference minus network", CHOSEN)
"""The candidate that stands for the difference of the best reference and the best network."""
AHEAD = ("ahead", "level", "behind")
IN_WORDS = {
    "rows": "rows",
    "classes": "classes",
    "ratio": "ratio",
    "rarest_rows": "rows of the rarest class",
    "columns": "columns",
    "overlap": "overlap",
}


@dataclass(frozen=True)
class StudySets:
    """The sets of a study and the gain of each candidate on each of them.

    Attributes:
        facts: one row per set: ``family`` and what is known of it; index: its name.
        gains: macro F1 over cross-entropy at argmax, percentage points: one row per set, one column
            per candidate (kind, method, decision); NaN where it has none.
    """

    facts: pd.DataFrame
    gains: pd.DataFrame

    @classmethod
    def of_table(cls, table: pd.DataFrame) -> "StudySets":
        """Takes them from the study's table, but for those whose ``FEATURES`` are not all known.

        Args:
            table: see :mod:`src.analysis.study.table`.

        Raises:
            UserError: where it has too few families.
        """
        facts = table.drop_duplicates("data").set_index("data")[list(FACTS[1:])]
        facts = facts.dropna(subset=list(FEATURES))
        gains = table.pivot_table(index="data", columns=CANDIDATE, values="over_argmax")
        network, reference = ("network", ANY_NETWORK, CHOSEN), ("reference", ANY_REFERENCE, CHOSEN)
        if network in gains and reference in gains:
            gains[REFERENCE_AHEAD] = gains[reference] - gains[network]
        if (families := facts["family"].nunique()) < FEWEST_FAMILIES:
            raise UserError(
                f"the study has {families} families of data sets whose {', '.join(FEATURES)} are "
                f"known; an interval for a new table needs {FEWEST_FAMILIES}"
            )
        return cls(facts, gains.reindex(facts.index))

    def of(self, sets: pd.Series) -> "StudySets":
        """Some of the sets; ``sets`` is true for each of them."""
        return StudySets(self.facts[sets], self.gains[sets])


def features_of(facts: pd.DataFrame) -> Array:
    """Features of data sets, one row each, shape (sets, len(FEATURES))."""
    x = facts[list(FEATURES)].to_numpy(np.float64, copy=True)
    x[:, :-1] = np.log(x[:, :-1])
    return x


def read_table(file: Path) -> pd.DataFrame:
    """Reads what `python -m src.study` wrote as ``sets.csv``.

    Raises:
        UserError: where it is no such table.
    """
    try:
        table = pd.read_csv(file)
    except (ValueError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: cannot be read as the table of a study: {error}") from error
    if missing := [name for name in NEEDED if name not in table]:
        raise UserError(
            f"{file}: lacks {', '.join(missing)}, columns of the table of a study; python -m "
            "src.study writes one"
        )
    return table


def predict_gains(sets: StudySets, new: pd.DataFrame) -> pd.DataFrame:
    """Expected gain of every candidate on new data sets.

    Args:
        sets: of the study.
        new: facts of the new ones, each of a family that is new.

    Returns:
        One row per candidate and new set (``data``), percentage points: ``expected``, with ``low``
        and ``high``, the 95 % interval for that one set; the ``average`` over families;
        ``predicts``, whether the features say more than the average, which is expected where they
        do not; ``sets`` and ``families`` that it rests on.
    """
    alike: dict[tuple[bool, ...], list[tuple[str, ...]]] = defaultdict(list)
    for candidate, known in sets.gains.notna().items():
        alike[tuple(known)].append(candidate)
    x, found = features_of(new), []
    for known, candidates in alike.items():
        within = sets.of(pd.Series(known, index=sets.facts.index))
        families = within.facts["family"]
        if families.nunique() < LEAST_FAMILIES:
            continue
        gains = within.gains[candidates].to_numpy(np.float64)
        fitted = GainPredictor.fit(features_of(within.facts), gains, families.tolist())
        of_method = {
            "average": fitted.average,
            "half": fitted.half_width,
            "predicts": fitted.predicts,
            "sets": len(gains),
            "families": fitted.families,
        }
        rows = pd.DataFrame(candidates, columns=CANDIDATE).assign(**of_method)
        rows = rows.loc[rows.index.repeat(len(new))]
        rows["data"], rows["expected"] = [*new.index] * len(candidates), fitted.predict(x).T.ravel()
        found.append(rows)
    rows = pd.concat(found, ignore_index=True)
    half = rows.pop("half")
    return rows.assign(low=rows["expected"] - half, high=rows["expected"] + half)


@dataclass(frozen=True)
class Advice:
    """The study's word on one table.

    Attributes:
        facts: of the table.
        sets: in the study.
        families: in the study.
        near: names of its sets that are like this table.
        near_families: how many families they are of.
        outside: facts of the table beyond all sets of the study: its value, and theirs.
        gains: one row per candidate, the largest expected gain first; as :func:`predict_gains`.
        ahead: share of the families in which a reference is ahead of the networks by more than 2
            pp, level, and behind, each chosen by validation; of sets like this one where they are
            of enough families, else of all; empty where the study has no references.
    """

    facts: Mapping[str, float]
    sets: int
    families: int
    near: tuple[str, ...]
    near_families: int
    outside: dict[str, tuple[float, float, float]]
    gains: pd.DataFrame
    ahead: dict[str, float]


def advise(sets: StudySets, facts: Mapping[str, float]) -> Advice:
    """Says what to expect on a table.

    Args:
        sets: of the study.
        facts: of the table, see :func:`src.analysis.study.facts.describe`.
    """
    here = features_of(pd.DataFrame([facts]))[0]
    limits = np.array([np.log(FACTOR)] * (len(FEATURES) - 1) + [APART])
    away = np.abs(features_of(sets.facts) - here)
    near = pd.Series((away <= limits).all(axis=1), index=sets.facts.index)
    ends = {name: (sets.facts[name].min(), sets.facts[name].max()) for name in IN_WORDS}
    outside = {
        name: (facts[name], float(low), float(high))
        for name, (low, high) in ends.items()
        if not low <= facts[name] <= high
    }
    near_families = int(sets.facts["family"][near].nunique())
    gains = predict_gains(sets, pd.DataFrame([facts]))
    return Advice(
        facts=facts,
        sets=len(sets.facts),
        families=int(sets.facts["family"].nunique()),
        near=tuple(near.index[near]),
        near_families=near_families,
        outside=outside,
        gains=gains.sort_values("expected", ascending=False, ignore_index=True),
        ahead=_ahead(sets.of(near) if near_families >= LEAST_FAMILIES else sets),
    )


def _ahead(sets: StudySets) -> dict[str, float]:
    """Shares of the families in which references are ahead, level and behind; their sets' mean."""
    if REFERENCE_AHEAD not in sets.gains:
        return {}
    found = sets.gains[REFERENCE_AHEAD].dropna()
    kinds = pd.cut(found, [-np.inf, -THRESHOLD_PP, THRESHOLD_PP, np.inf], labels=AHEAD[::-1])
    shares = pd.get_dummies(kinds).groupby(sets.facts["family"]).mean().mean()
    return {name: float(shares[name]) for name in AHEAD}
