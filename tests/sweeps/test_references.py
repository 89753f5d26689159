"""References of a sweep: the data and seeds of its losses, and as many trials as each of them."""

from collections import Counter

import numpy as np
import pytest

from src.config.estimator_schema import FOR_PIXELS
from src.errors import UserError

RATES = "training.learning_rate=0.001,0.01,0.1"
TABLE = ("data=table", "data.path=mine.csv", "references=table")
QUICK = {
    ("majority", None): 2,
    ("logistic_regression", "balanced"): 2,
    ("random_forest", "balanced"): 2,
    ("hist_gradient_boosting", "balanced"): 2,
}


@pytest.fixture
def parts(jobs_typed):
    """Jobs of networks, and those of estimators, as their words by key."""

    def read(*typed):
        jobs = [dict(word.split("=", 1) for word in words) for words in jobs_typed(*typed)[1]]
        networks = [job for job in jobs if "estimator" not in job]
        references = [job for job in jobs if "estimator" in job]
        assert jobs == networks + references
        return networks, references

    return read


def trials(references):
    """How many trials each estimator has, and each of its weightings."""
    return Counter((one["estimator"], one.get("estimator.class_weight")) for one in references)


def test_they_have_the_seeds_of_the_losses_and_as_many_trials(parts):
    words = ("loss=ce,focal", "seed=0,1", "tuning=learning_rate", "training.epochs=7", *TABLE)
    networks, references = parts(*words)
    assert len(networks) == 2 * 2 * 5
    for seed in ("0", "1"):
        of_a_seed = trials(one for one in references if one["seed"] == seed)
        assert of_a_seed.pop(("majority", None)) == 1
        assert len(of_a_seed) == 8
        assert set(of_a_seed.values()) == {5}
    shared = {"data": "table", "data.path": "mine.csv", "training.epochs": "7"}
    assert all(shared.items() <= one.items() for one in networks + references)
    assert not any("loss" in one or "training.learning_rate" in one for one in references)


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ((), [None]),
        (("training.learning_rate=0.01,0.1",), ["1", "16"]),
        ((RATES,), ["1", "4", "16"]),
        ((RATES, "training.epochs=2,3"), ["1", "2", "4", "8", "16"]),
        ((RATES, "loss.gamma=1,2"), ["1", "4", "16"]),
    ],
)
def test_the_grid_of_a_reference_is_as_long_as_that_of_a_loss_at_most(parts, words, values):
    _, references = parts("loss=ce,focal", *words, *TABLE)
    forests = [one for one in references if one["estimator"] == "balanced_random_forest"]
    assert [one.get("estimator.min_samples_leaf") for one in forests] == values


def test_chosen_by_the_data_they_are_those_of_a_table_or_make_sense_of_pixels(parts):
    rates = ("loss=ce,focal", RATES)
    of_a_table = parts(*rates, *TABLE)[1]
    by_data = parts(*rates, *TABLE[:-1], "references=auto")[1]
    assert by_data == [{**one, "references": "auto"} for one in of_a_table]
    of_images = trials(parts(*rates, "data=digits", "references=auto")[1])
    assert of_images == trials(one for one in of_a_table if one["estimator"] in FOR_PIXELS)
    assert of_images
    quick = trials(parts("loss=ce,focal", "data=digits", "references=quick")[1])
    assert {name for name, _ in quick} == {"majority", "logistic_regression", "random_forest"}


def test_what_is_compared_among_networks_is_no_part_of_them(parts):
    own = ("model=mlp,cosine", "model.dropout=0.1", "loss=ldam", "loss.max_margin=0.3")
    data = ("data=simulated", "data.n_samples=600,700", "references=quick")
    _, references = parts(*own, "sampling=none,random_over", *data)
    keys = {key for one in references for key in one}
    assert not keys & {"model", "model.dropout", "loss", "loss.max_margin", "sampling"}
    assert trials(references) == QUICK


def test_a_sampling_that_all_share_is_theirs_too(parts):
    _, references = parts("loss=ce,focal", "sampling=random_over", "references=quick")
    assert {one["sampling"] for one in references} == {"random_over"}


def test_they_are_counted_apart_and_make_no_other_settings_of_the_losses(plan_typed):
    words = ("loss=ce,focal", "seed=0,1")
    alone, beside = plan_typed(*words), plan_typed(*words, "references=quick")
    assert (alone.references, beside.references) == (0, sum(QUICK.values()))
    assert alone.varied == beside.varied
    assert alone.settings == beside.settings
    assert alone.identity != beside.identity


def test_of_images_that_stay_on_disk_there_are_none_and_one_line_says_so(plan_typed, tmp_path):
    random = np.random.default_rng(0)
    images, labels = random.integers(0, 256, (60, 4, 4), np.uint8), np.arange(60) % 3
    np.savez(tmp_path / "mine.npz", x=images, y=labels)
    data = ("data=image_arrays", f"data.path={tmp_path}/mine.npz", f"data.cache={tmp_path}")
    words = ("loss=ce,focal", "seed=0,1", "references=quick", *data)
    assert plan_typed(*words).references == 3 * 2
    on_disk = plan_typed(*words, "data.memory_share=1e-9")
    assert (on_disk.references, len(on_disk.jobs), len(on_disk.identities)) == (0, 4, 4)
    first, second = on_disk.summary().splitlines()
    assert first == "Sweep of 4 jobs."
    assert second.startswith(
        "References left out: the images of image_arrays stay on disk, and an "
    )
    alone = ("estimator=majority,random_forest", *data, "data.memory_share=1e-9")
    assert len(plan_typed(*alone).jobs) == 2, "which say by themselves what is wrong"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("references=none,table",), r"references=none,table: a sweep has one choice"),
        (("references.rows=['loss=ce']",), r"references\.rows: 'loss=ce' has to name an estimator"),
        (("references=table", "data=digits"), r"estimator=hist_gradient_boosting.*are images"),
    ],
)
def test_a_mistake_is_one_message(plan_typed, words, said):
    with pytest.raises(UserError, match=said):
        plan_typed("loss=ce", *words)
