"""Each loss at its best: what ``tuning`` adds to a sweep, its order, and what it refuses."""

import json

import pytest

from src.errors import UserError
from src.sweeps.tuning import named, plan_tags

RATES = ["0.0003", "0.001", "0.003", "0.01", "0.03"]
HOMEWORK = "+experiment=homework"


def values(plan, key):
    return [dict(word.split("=", 1) for word in job.words)[key] for job in plan.jobs]


def test_the_trials_of_a_loss_and_seed_follow_one_another(plan_typed):
    plan = plan_typed(HOMEWORK, "seed=0,1")
    assert len(plan.jobs) == 3 * 2 * 5
    assert values(plan, "training.learning_rate") == RATES * 6
    assert values(plan, "loss")[::10] == ["ce", "focal", "weighted_ce"]
    assert plan.tuned == ["training.learning_rate"]
    assert not plan.jobs[0].config.tracking.plots
    assert plan_typed(HOMEWORK, "seed=0", "tracking.plots=true").jobs[0].config.tracking.plots


def test_rates_that_are_typed_replace_the_grid_and_none_leaves_it_out(plan_typed):
    typed = plan_typed("tuning=learning_rate", "training.learning_rate=0.1,0.2")
    assert values(typed, "training.learning_rate") == ["0.1", "0.2"]
    assert len(plan_typed(HOMEWORK, "tuning=none", "seed=0").jobs) == 3


def test_more_keys_need_no_code(plan_typed):
    words = ("loss=ce,focal", "loss.gamma=1,2", "tuning=learning_rate")
    plan = plan_typed(*words, "tuning.keys=[training.learning_rate,loss.gamma]")
    assert len(plan.jobs) == 2 * 2 * 5
    assert plan.tuned == ["training.learning_rate", "loss.gamma"]
    assert values(plan, "loss.gamma")[:4] == ["1", "2", "1", "2"]


def test_what_is_tuned_is_no_part_of_what_a_run_is(plan_typed):
    tuned = plan_typed("tuning=learning_rate", "training.learning_rate=0.1,0.2")
    plain = plan_typed("training.learning_rate=0.1,0.2")
    assert tuned.identities == plain.identities
    assert plain.tuned == []


def test_plans_that_differ_in_their_seeds_alone_have_the_same_settings(plan_typed):
    few, more = plan_typed("seed=0,1"), plan_typed("seed=range(0,5)")
    assert few.settings == more.settings != plan_typed("loss=focal", "seed=0,1").settings
    assert few.identity != more.identity
    tags = plan_tags(more.tuned, more.seeds)
    assert {name: json.loads(tag) for name, tag in tags.items()} == {
        "planned.seeds": [0, 1, 2, 3, 4],
        "tuning.keys": [],
    }


def test_seeds_are_named_in_short():
    assert named([4, 0, 1, 2, 7]) == "0-2, 4, 7"


CHOSEN = "tuning.chosen_on=[0,1,2]"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((HOMEWORK, "training.learning_rate=0.003"), r"training\.learning_rate=0\.003: one value"),
        (("tuning.keys=[loss.gama]",), r"tuning\.keys=\[loss\.gama\]: no loss .* loss\.gama"),
        (("tuning.keys=[training.rate]",), r"no training .* has the key training\.rate"),
        (("tuning.keys=[loss.gamma]",), r"loss\.gamma is not varied in this sweep"),
        (("tuning.keys=[seed]", "seed=0,1"), r"tuning\.keys=\[seed\]: seed cannot be tuned"),
        (("tuning.keys=[data.n_samples]",), r"right are keys of loss, model and training"),
        (("seed=range(2,5)", CHOSEN), r"seed=2: settings were chosen on this seed"),
    ],
)
def test_a_mistake_is_one_message(plan_typed, words, said):
    with pytest.raises(UserError, match=said):
        plan_typed(*words)


def test_fresh_seeds_are_no_mistake(plan_typed):
    assert plan_typed("seed=range(100,102)", CHOSEN).seeds == [100, 101]


@pytest.fixture
def begun(tmp_path, empty_store):
    """Begins a sweep over some seeds, in one store; the sweep's run."""
    from src.tracking.sweep_run import SweepRun

    empty_store(tmp_path / "mlruns")
    tracking = {"root": str(tmp_path / "mlruns"), "uri": None, "experiment": "plans"}

    def begin(*seeds, settings="same"):
        tags = plan_tags(["training.learning_rate"], seeds) | {"sweep.settings": settings}
        return SweepRun(tracking, "train.py -m", f"{settings}{seeds}", tags, anew=False)

    return begin


def test_a_sweep_notes_its_plan_and_which_seeds_it_adds_to(begun, tmp_path):
    from mlflow.tracking import MlflowClient

    first, again, more = begun(0, 1), begun(0, 1), begun(0, 1, 2)
    assert (first.extends, again.extends, more.extends) == ([], [], [0, 1])
    assert first.run_id == again.run_id != more.run_id
    assert begun(100, 101).extends == [], "fresh seeds confirm, and add to nothing"
    assert begun(0, 1, 2, settings="others").extends == []
    store = MlflowClient(f"sqlite:///{tmp_path}/mlruns/mlflow.db")
    tags = store.get_run(more.run_id).data.tags
    assert json.loads(tags["planned.seeds"]) == [0, 1, 2]
    assert json.loads(tags["planned.extends"]) == [0, 1]
    assert json.loads(tags["tuning.keys"]) == ["training.learning_rate"]


def test_a_sweep_that_fails_before_its_first_run_leaves_nothing_behind(begun, tmp_path):
    from mlflow.tracking import MlflowClient

    begun(0, 1).close("FAILED", "")
    store = MlflowClient(f"sqlite:///{tmp_path}/mlruns/mlflow.db")
    experiments = [one.experiment_id for one in store.search_experiments()]
    assert store.search_runs(experiments) == []
