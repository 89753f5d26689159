"""Seeds that are ``auto``: planned by the size of the data, and said with their time."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from src.errors import UserError
from src.runs.seed_plan import CORES, FEWEST, MOST, outline, planned_seeds, seconds_of_reference
from src.sweeps.composer import split
from src.sweeps.seeds import with_planned_seeds
from src.sweeps.tuning import duration, plan_in_words

TRIALS = 7 * 5
"""Losses by learning rates of ``+experiment=my_data``."""
AUTO = (
    "model.hidden=auto",
    "model.dropout=auto",
    "training.epochs=auto",
    "training.batch_size=auto",
)


def table(rows, columns=20, classes=2, split="random"):
    """As much of a data set as a plan looks at."""
    made = outline(rows, (columns,), classes)
    made.split = split
    return made


@pytest.fixture(scope="module")
def plan(resolved):
    config = resolved(*AUTO)
    return lambda dataset, trials=TRIALS: planned_seeds([config] * trials, dataset)


@pytest.mark.parametrize(
    ("rows", "minutes", "fewest"), [(300, 3, 10), (1_000, 3, 8), (300_000, 30, 6)]
)
def test_a_table_gets_seeds_in_pairs_and_within_its_time(plan, rows, minutes, fewest):
    seeds, seconds = plan(table(rows))
    assert seeds >= fewest
    assert seeds % 2 == 0
    assert seconds / CORES < 60 * minutes


@pytest.mark.parametrize("rows", [300, 300_000])
def test_folds_and_origins_get_whole_rounds(resolved, rows):
    """Two seeds share a split: ten for five folds, eight for four origins."""
    for kind, data, a_round in (
        ("kfold", {"folds": 5}, 10),
        ("kfold", {"folds": 20}, 40),
        ("time", {"origins": 4}, 8),
        ("given", {}, 2),
    ):
        config = resolved(*AUTO)
        config["data"] |= data | {"seeds_per_split": 2}
        seeds, _ = planned_seeds([config] * TRIALS, table(rows, split=kind))
        assert seeds % a_round == 0
        assert seeds <= max(MOST, a_round)


def test_references_take_no_seeds_unless_all_would_take_too_long(resolved):
    network, forest = resolved(*AUTO), resolved("estimator=random_forest")
    for rows in (300, 5_000, 300_000):
        alone, _ = planned_seeds([network] * TRIALS, table(rows))
        beside, seconds = planned_seeds([network] * TRIALS + [forest] * 20, table(rows))
        assert beside == (alone if rows < 300_000 else FEWEST)
        assert seconds > alone * 20 * seconds_of_reference(forest["estimator"], table(rows)) / 2
    assert planned_seeds([forest], table(300))[0] == MOST, "estimators alone have seeds, too"


def test_fewer_trials_leave_time_for_more_seeds_up_to_a_bound(plan):
    few, many = plan(table(5_000), trials=10)[0], plan(table(5_000), trials=70)[0]
    assert few > many
    assert plan(table(100), trials=1)[0] == MOST


def test_the_sweep_gets_a_range_and_the_same_one_each_time(sweeper, tmp_path):
    rows = [f"{n},{n % 7},{'yes' if n % 5 else 'no'}" for n in range(400)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,y", *rows]))
    made = sweeper("data=table", f"data.path={tmp_path / 't.csv'}", "data.label=y")
    typed = OverridesParser.create().parse_overrides(
        ["data=table", f"data.path={tmp_path / 't.csv'}", "loss=ce,focal", "seed=auto"]
    )
    (found, seconds), again = (
        with_planned_seeds(made.context.config_loader, made.master, typed) for _ in range(2)
    )
    assert seconds > 0
    assert len(split(found)) == len(split(again[0])) == 2 * MOST
    given = OverridesParser.create().parse_overrides(["seed=auto", "seed=1,2"])
    assert with_planned_seeds(made.context.config_loader, made.master, given) == (given, 0.0)
    (tmp_path / "t.csv").write_text("a,b,y\n1,2,no\n")
    with pytest.raises(UserError, match=r"t\.csv"):
        with_planned_seeds(made.context.config_loader, made.master, typed)


def test_the_plan_is_said_in_words():
    varied = {"seed": 12, "training.learning_rate": 5, "loss": 7}
    said = plan_in_words(varied, 420, 0, 320.0, 2)
    assert said == "7 losses x 5 learning rates x 12 seeds = 420 runs, about 3 min on 2 cores"
    assert plan_in_words({"model.hidden": 3}, 5, 2, 0, 1) == (
        "3 values of model.hidden = 3 runs, and 2 runs of estimators for scale"
    )
    assert [duration(seconds) for seconds in (45, 150, 9000)] == ["45 s", "2 min", "2.5 h"]
