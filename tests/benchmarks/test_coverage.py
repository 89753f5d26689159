"""The measurement of coverage: its trainings are the project's, its counts are right."""

import numpy as np
import pytest
from scipy.stats import t, ttest_1samp

from benchmarks.coverage.intervals import INTERVALS, bca, nadeau_bengio, student
from benchmarks.coverage.rows import rows
from benchmarks.coverage.tables import details, summary, verdict
from benchmarks.coverage.trainings import (
    LOSSES,
    RATES,
    ROWS,
    SCORES,
    SEEDS,
    config_of,
    train_and_score,
)


def test_a_training_scores_what_a_run_scores() -> None:
    """The short way of the measurement gives the numbers of the long one."""
    from src.data.simulated import simulated
    from src.engine.fit import train
    from src.engine.graph_cache import GraphCache
    from src.engine.model import build_model
    from src.evaluation.scores import score_decisions

    config = config_of("focal")
    short = {**config, "training": {**config["training"], "epochs": 3, "progress": False}}
    dataset = simulated(seed=1, n_samples=ROWS)
    model = build_model(short, dataset)
    found = dict(zip(SCORES, train_and_score(short, dataset, model), strict=True))
    trained = train(short, dataset, "run", graphs=GraphCache())
    logits = trained.by_decision
    values = score_decisions(dataset.y_val, dataset.y_test, logits, trained.prior).values
    assert found == {
        "val_argmax": trained.crossfit["val_crossfit_f1_macro"],
        "val_tuned": trained.crossfit["val_tuned_crossfit_f1_macro"],
        "test_argmax": values["test_f1_macro"],
        "test_tuned": values["test_tuned_f1_macro"],
    }


def test_intervals_are_those_of_their_sources() -> None:
    values = np.random.default_rng(0).normal(1, 2, 9)
    expected = ttest_1samp(values, 0).confidence_interval(0.95)
    assert student(values, [], True) == pytest.approx((expected.low, expected.high))
    assert nadeau_bengio(values, [], False) == pytest.approx(student(values, [], False))
    half = t.ppf(0.975, 8) * np.sqrt(values.var(ddof=1) * (1 / 9 + 0.25))
    assert nadeau_bengio(values, [], True) == pytest.approx(
        (values.mean() - half, values.mean() + half)
    )


def test_coverage_of_known_noise() -> None:
    """Scores with normal noise around known levels: t covers in 95 %, and claims little of A/A."""
    rng = np.random.default_rng(0)
    level = np.array([0.5, 0.5, 0.52, 0.6])[:, None, None]
    shape = len(LOSSES), len(RATES), len(SCORES)
    fresh = level + 0.03 * rng.standard_normal((400, *shape))
    tables = level + 0.03 * rng.standard_normal((60, SEEDS, *shape))
    names = ("Student's t", "this project")
    found = list(rows(fresh, tables, {name: INTERVALS[name] for name in names}))
    assert len(found) == 2 * 2 * 3 * 3 * 3
    at = [row for row in found if row.setting != "best"]
    for name in names:
        assert np.mean([row.coverage(name) for row in at]) == pytest.approx(0.955, abs=0.02), name
    alike = [row for row in at if row.comparison == "A/A"]
    assert np.mean([row.better("Student's t") for row in alike]) == pytest.approx(0.025, abs=0.015)
    focal = next(row for row in at if row.comparison == "focal")
    assert focal.truth == pytest.approx(2, abs=0.5)
    assert focal.better("Student's t", 4) > focal.better("Student's t", 1)
    assert all(name in summary(found) and name in details(found) for name in names)
    assert f"of {len(found)} situations" in verdict(found, "this project")


def test_the_bootstrap_of_five_seeds_is_too_short() -> None:
    rng = np.random.default_rng(0)
    ends = np.array([bca(rng.normal(size=5).tolist(), [], False) for _ in range(200)])
    assert ((ends[:, 0] <= 0) & (ends[:, 1] >= 0)).mean() < 0.9
