"""Ranks over data sets, as Demsar (2006) compares classifiers, with families as the units.

"Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 7. Sets of one family are not
independent, as these tests suppose their rows to be; so a row is the mean of a family's sets, and
the tests over single sets stand beside it for those who compare with other studies.
"""

from dataclasses import dataclass

import pandas as pd
import scikit_posthocs
from scipy import stats

from src.analysis.statistics.verdict import holm


@dataclass(frozen=True)
class Ranks:
    """Mean ranks of methods, and tests of their differences.

    Attributes:
        ranks: mean rank of each method, 1 is best, best first.
        statistic: Friedman's chi-squared; NaN with fewer than three methods.
        p: of the hypothesis that all methods are alike.
        wilcoxon: p of the signed-rank test against the baseline, of each other method, by Holm.
        nemenyi: p of each pair of methods, Nemenyi's test.
        rows: families, or sets.
    """

    ranks: pd.Series
    statistic: float
    p: float
    wilcoxon: pd.Series
    nemenyi: pd.DataFrame
    rows: int


def rank(scores: pd.DataFrame, baseline: str) -> Ranks:
    """Compares all methods, and each with the baseline.

    Args:
        scores: more is better; one row per family or set, one column per method, nothing missing.
        baseline: name of a column.
    """
    columns = [scores[name] for name in scores]
    several = len(columns) > 2 and any(not one.equals(columns[0]) for one in columns)
    friedman = stats.friedmanchisquare(*columns) if several else (float("nan"),) * 2
    others = [name for name in scores if name != baseline]
    gains = (scores[name] - scores[baseline] for name in others)
    p = [float(stats.wilcoxon(gain).pvalue) if gain.any() else 1.0 for gain in gains]
    return Ranks(
        ranks=scores.rank(axis=1, ascending=False).mean().sort_values(),
        statistic=float(friedman[0]),
        p=float(friedman[1]),
        wilcoxon=pd.Series(holm(p), index=others, dtype=float),
        nemenyi=scikit_posthocs.posthoc_nemenyi_friedman(scores.to_numpy())
        .set_axis(scores.columns, axis=0)
        .set_axis(scores.columns, axis=1),
        rows=len(scores),
    )
