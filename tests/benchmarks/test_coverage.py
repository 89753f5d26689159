"""The measurement of coverage: its trainings are the project's, its counts are right."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t, ttest_1samp
from sklearn.metrics import f1_score

from benchmarks.coverage.by_split import measured
from benchmarks.coverage.intervals import INTERVALS, bca, nadeau_bengio, student
from benchmarks.coverage.quick_tables import WORLDS, macro_f1
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
    found = list(rows(fresh, tables, {name: INTERVALS[name] for name in names}, most_sets=200))
    assert len(found) == 2 * 2 * 3 * 3 * 3
    at = [row for row in found if row.setting != "best"]
    for name in names:
        covered = [row.held[name].coverage for row in at]
        assert np.mean(covered) == pytest.approx(0.955, abs=0.02), name
    alike = [row.held["Student's t"].better() for row in at if row.comparison == "A/A"]
    assert np.mean(alike) == pytest.approx(0.025, abs=0.015)
    focal = next(row for row in at if row.comparison == "focal")
    assert focal.truth == pytest.approx(2, abs=0.5)
    assert focal.held["Student's t"].better(4) > focal.held["Student's t"].better(1)
    assert all(name in summary(found) and name in details(found) for name in names)
    assert f"of {len(found)} situations" in verdict(found, "this project")


def test_the_bootstrap_of_five_seeds_is_too_short() -> None:
    rng = np.random.default_rng(0)
    ends = np.array([bca(rng.normal(size=5).tolist(), [], False) for _ in range(200)])
    assert ((ends[:, 0] <= 0) & (ends[:, 1] >= 0)).mean() < 0.9


@pytest.mark.parametrize(
    ("split", "seeds"), [("random", 10), ("kfold", 10), ("group", 10), ("time", 8), ("given", 10)]
)
def test_the_interval_of_every_split_holds_the_truth(split: str, seeds: int) -> None:
    """Tables with a known truth, split by the project; 120 of them have a standard error of 2 %."""
    held = measured(replace(WORLDS[split], seeds=(seeds,)), 120)[seeds]
    assert 0.88 < held["this project"].coverage < 1
    if split == "group":
        assert held["Student's t"].coverage < held["this project"].coverage - 0.05
    if split in {"random", "kfold", "group"}:
        assert held["this project"].half_width < held["Nadeau-Bengio"].half_width


def test_macro_f1_of_two_classes_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    for often in (0.0, 0.1, 0.5, 1.0):
        y, decided = rng.random(50) < 0.3, rng.random(50) < often
        expected = f1_score(y, decided, average="macro", zero_division=0)
        assert macro_f1(y, decided) == pytest.approx(expected)
