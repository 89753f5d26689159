"""The plan of a study: which sets it takes and why not the others, its methods and their order."""

from collections import Counter
from functools import partial

import pytest

from src.errors import UserError
from src.forecast import main
from src.sweeps.data_sets import climb_sets
from src.sweeps.jobs import Plan
from src.sweeps.sections import sections_of
from src.sweeps.tuning import plan_in_words
from tests.data.collections.dat_files import write

STUDY = "+experiment=study"
TWO_RATES = "hydra.sweeper.methods=['loss=ce training.learning_rate=0.01,0.1']"
TUNED = "tuning.keys=[training.learning_rate]"


@pytest.fixture
def collection(tmp_path):
    """Two sets of one family and one of another; one with too few rows, and one that is damaged."""
    sizes = {"ecoli2": (60, 20), "yeast1": (40, 15), "ecoli1": (30, 15), "glass9": (50, 4)}
    for name, (rows, rarest) in sizes.items():
        lines = [f"{i}, {i % 7}, {'rare' if i < rarest else 'usual'}" for i in range(rows)]
        write(tmp_path / "imbalanced" / f"{name}.dat", lines)
    write(tmp_path / "imbalanced" / "zoo9.dat", ["1, same"] * 30)
    write(tmp_path / "balanced" / "iris.dat", [f"{i}, {i % 2}" for i in range(60)])
    return f"data.root={tmp_path}"


@pytest.fixture
def study(jobs_typed):
    """A study as typed: its jobs by key, what is known of its sets, and what makes its plan."""

    def plan(*typed):
        made, words, sets = jobs_typed(*typed)
        jobs = [dict(word.split("=", 1) for word in job) for job in words]
        planned = partial(Plan.of, made.context, made.master, words, sets=sets)
        return jobs, sets, planned

    return plan


def test_all_sets_with_rows_enough_are_taken_and_the_others_named_with_the_reason(
    study, collection
):
    jobs, sets, plan_of = study(STUDY, collection, "seed=0,1")
    plan = plan_of()
    assert list(dict.fromkeys(job["data.name"] for job in jobs)) == [
        "'ecoli1'",
        "'yeast1'",
        "'ecoli2'",
    ]
    few, damaged = sorted(sets.left_out)
    assert few == "glass9: its rarest class has 4 rows, fewer than 15"
    assert damaged.startswith("zoo9: ")
    assert plan.seeds == [0, 1]
    assert plan.seconds > 0


def test_every_method_has_the_same_number_of_trials_of_a_grid_of_its_own(study, collection):
    for form, trials in (("quick", 3), ("full", 4)):
        jobs, *_ = study(STUDY, collection, f"study={form}", "data.name=ecoli1", "seed=0")
        methods = [(job["loss"], job.get("sampling")) for job in jobs if "estimator" not in job]
        assert set(Counter(methods).values()) == {trials}, form
        assert {("ce", None), ("focal", None)} <= set(methods)
    gammas = Counter(job["loss.gamma"] for job in jobs if job.get("loss") == "focal")
    assert gammas == {"1": 2, "2": 2}


def test_all_runs_on_one_split_follow_one_another(study, collection):
    jobs, *_ = study(STUDY, collection, "seed=0,1")
    on = [(job["data.name"], job["seed"]) for job in jobs]
    assert len(set(on)) == 6
    assert sorted(on, key=list(dict.fromkeys(on)).index) == on
    assert {"ce", "focal", "weighted_ce"} == {job["loss"] for job in jobs if "loss" in job}
    assert len({job["estimator"] for job in jobs if "estimator" in job}) == 4


def test_sets_that_are_named_are_taken_whatever_they_are(study, collection):
    jobs, sets, _ = study(STUDY, collection, "data.name=glass9,ecoli1", "seed=0")
    assert {job["data.name"] for job in jobs} == {"glass9", "ecoli1"}
    assert sets.left_out == ()


def test_climb_is_the_same_over_its_tables_by_number(study):
    jobs, sets, plan_of = study(STUDY, "suite=climb", "seed=0", "references=none", TWO_RATES, TUNED)
    plan = plan_of()
    tables = list(climb_sets())
    assert len(tables) == 73
    enough = {one.value for one in tables if one.rarest >= 15}
    assert {job["data.id"] for job in jobs} == enough
    assert len(sets.left_out) == 73 - len(enough)
    assert plan.seconds > len(jobs)  # tables of up to 285,000 rows take more than a second a run


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("data=simulated",), r"data\.name=auto: is for data=keel"),
        (("data.root=nowhere",), r"'nowhere', of data\.root or --folder, holds no \.dat"),
        (("hydra.sweeper.fewest_rows=500",), r"no set has 500 rows of its rarest class"),
        (
            ("hydra.sweeper.fewest_rows=few",),
            r"hydra\.sweeper\.fewest_rows=few: must be a valid int",
        ),
        (("loss=ce,focal",), r"loss=ce,focal: each of hydra\.sweeper\.methods has a loss"),
        (("training.learning_rate=0.1,1",), r"has a training\.learning_rate of its own"),
        (("data.name=ecoli1", "tracking.plots=true"), r"detail=scores: .* tracking\.plots=false"),
    ],
)
def test_a_mistake_is_one_message(study, collection, words, said):
    if not any(word.startswith(("data=", "data.root=")) for word in words):
        words = (collection, *words)
    with pytest.raises(UserError, match=said):
        _, _, plan = study(STUDY, *words)
        plan()


def test_a_forecast_has_the_jobs_of_every_method_and_estimator(
    collection, tmp_path, empty_store, capsys
):
    empty_store(tmp_path / "mlruns")
    words = f"{STUDY} {collection} data.name=ecoli1"
    typed = (f"{words} seed=0,1", f"{words} seed=2")
    assert main([*typed, "--root", str(tmp_path / "mlruns")]) == 0
    two, one = capsys.readouterr().out.splitlines()
    assert ": 38 jobs, 0 done, " in two  # 3 losses x 3, 3 estimators x 3 and the majority
    assert ": 19 jobs, 0 done, " in one
    assert one.endswith("time not known: no run of experiment study has ended yet")


def test_what_takes_less_is_said_of_a_long_plan():
    said = plan_in_words({"data.name": 85, "seed": 10}, 850, 0, 9000.0, 2, rows="study_quick")
    assert said.endswith(" on 2 cores; some of the sets take less: data.name=ONE,TWO")
    said = plan_in_words({"seed": 10}, 20, 10, 9000.0, 2, rows="table")
    assert said.endswith("; references=quick takes less")
    said = plan_in_words({"loss": 7, "seed": 10}, 80, 10, 9000.0, 2, rows="auto")
    assert said.endswith("; references=quick or loss=ce,focal takes less")


def test_the_runs_of_a_study_share_the_sections_of_their_configs(sweeper):
    lacking = [name for name, one in sections_of(sweeper(STUDY).master).items() if not one]
    assert lacking == [], "each run would be composed and checked whole, which takes minutes"
