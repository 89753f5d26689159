"""What a run says of itself before it is trained, for whoever compares runs."""

import numpy as np
import pytest

from src.engine.build import load_dataset
from src.errors import UserError
from src.runs.metadata import describe_run


@pytest.fixture
def described(resolved):
    """A run's data set and metadata, by the words typed."""

    def describe(*words):
        config = resolved(*words)
        dataset = load_dataset(config["data"])
        return dataset, describe_run(config, dataset)

    return describe


def test_two_seeds_of_a_table_share_a_split_and_are_two_runs_of_one_setting(described):
    (one, first), (two, second), (three, third) = (
        described("data=digits", f"seed={seed}") for seed in (2, 3, 4)
    )
    assert one.fingerprint == two.fingerprint == first.tags["data.fingerprint"]
    assert three.fingerprint != two.fingerprint
    assert len({first.identity, second.identity, third.identity}) == 3
    assert first.tags["setting"] == second.tags["setting"] == third.tags["setting"]
    assert (second.params["training.seed"], second.tags["data.estimand"]) == ("3", "table")


def test_a_split_for_each_seed_is_its_own_setting_of_the_same_splits(described):
    shared, of_shared = described("data=digits", "seed=6")
    own, of_own = described("data=digits", "seed=3", "data.seeds_per_split=1", "training.seed=6")
    assert (shared.fingerprint, of_shared.identity) == (own.fingerprint, of_own.identity)
    assert of_shared.tags["setting"] != of_own.tags["setting"]


@pytest.mark.parametrize("source", ["simulated", "classification"])
def test_each_seed_of_made_data_is_a_fresh_sample(described, source):
    words = (f"data={source}", "data.n_samples=200", "data.minority_fraction=0.3")
    (one, first), (two, _) = (described(*words, f"seed={seed}") for seed in (0, 1))
    assert one.fingerprint != two.fingerprint
    assert first.tags["data.estimand"] == "samples"


def test_rows_are_told_by_split_and_for_the_rarest_class(described):
    dataset, metadata = described("data=digits")
    sizes = [len(y) for y in (dataset.y_train, dataset.y_val, dataset.y_test)]
    told = [int(metadata.tags[f"data.rows_{split}"]) for split in ("train", "val", "test")]
    assert told == sizes
    rarest = np.argmin(np.bincount(dataset.y_train))
    assert int(metadata.tags["data.rows_test_rarest"]) == np.sum(dataset.y_test == rarest) > 30


@pytest.mark.parametrize("value", [0, -2, 1.5, True, "two"])
def test_a_number_of_seeds_that_cannot_be_is_refused(value):
    node = {"_target_": "src.data.digits.digits", "seed": 0, "seeds_per_split": value}
    with pytest.raises(UserError, match=rf"data\.seeds_per_split={value}: must be a whole number"):
        load_dataset(node)


def test_rows_that_are_alike_are_told_of_a_table(described, tmp_path):
    rows = "\n".join(f"{i % 30},{i % 2}" for i in range(60)) + "\n0,1\n"
    (tmp_path / "t.csv").write_text(f"x,label\n{rows}")
    _, metadata = described("data=table", f"data.path={tmp_path}/t.csv")
    assert metadata.tags["data.duplicate_rows"] == "31"
    assert metadata.tags["data.conflicting_rows"] == "3"
