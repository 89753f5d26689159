"""Whatever the groups offer composes into a config that passes the checks."""

import copy
import itertools
from pathlib import Path

import pytest
from omegaconf import OmegaConf
from omegaconf.errors import ConfigKeyError

from src.config.check import check

pytestmark = pytest.mark.slow

CONF = Path(__file__).resolve().parents[2] / "conf"
NEEDS = {
    "data=table": ["data.path=file.csv"],
    "data=image_folder": ["data.root=pictures"],
    "data=image_arrays": ["data.path=pictures.npz"],
    "data=keel": ["data.name=keel"],
    "data=openml": ["data.name=openml"],
}
EXPERIMENT_NEEDS = {
    "experiment=my_data": ["data.path=mine.csv"],
    "experiment=atlas_table": ["data.path=mine.csv"],
}
"""What a choice cannot do without."""


def choices(group: str) -> list[str]:
    return sorted(f"{group}={file.stem}" for file in (CONF / group).glob("*.yaml"))


GROUPS = ("loss", "metric", "model", "data", "tracking")


def test_the_groups_of_the_order_are_there():
    assert set(GROUPS) <= {folder.name for folder in CONF.iterdir()}
    assert {"loss=ce", "loss=focal"} <= set(choices("loss"))


BESIDE = ("loss", "metric", "tracking")
"""Groups whose choice fills its own node alone: put in by hand, for composing takes 0.1 s."""
LAST = [choices(group)[-1] for group in BESIDE]


@pytest.fixture(scope="module")
def beside(composer):
    """The composed node of every choice of those groups."""
    words = [word for group in BESIDE for word in choices(group)]
    return {word: composer(word)[word.partition("=")[0]] for word in words}


def put(cfg, beside, *words):
    """A config in which those choices were made instead."""
    for word in words:
        cfg[word.partition("=")[0]] = beside[word]
    return cfg


@pytest.mark.parametrize("model", choices("model"))
@pytest.mark.parametrize("data", choices("data"))
def test_every_combination_composes_and_is_legal(composer, beside, data, model):
    """Each loss with each metric and tracking: all three stand by themselves."""
    cfg = composer(model, data, *NEEDS.get(data, []))
    others = itertools.cycle(itertools.product(choices("metric"), choices("tracking")))
    for loss, (metric, tracking) in zip(choices("loss"), others, strict=False):
        check(put(cfg, beside, loss, metric, tracking))
        words = (loss, metric, model, data)
        assert [f"{group}={cfg[group].name}" for group in GROUPS[:-1]] == list(words)
        assert cfg.tracking.enabled == (tracking != "tracking=none")


@pytest.mark.parametrize(
    ("word", "others"),
    [
        *((word, [LAST]) for group in ("model", "data") for word in choices(group)),
        ("model=cnn", [[word] for group in BESIDE for word in choices(group)]),
    ],
    ids=lambda part: part if isinstance(part, str) else str(len(part)),
)
def test_loss_metric_and_tracking_fill_their_own_nodes_whatever_stands_beside(
    composer, beside, word, others
):
    words = (word, *NEEDS.get(word, []))
    before = composer(*words)
    for made in others:
        ours, cfg = put(copy.deepcopy(before), beside, *made), composer(*words, *made)
        assert ours == cfg
        for group in GROUPS:
            assert OmegaConf.get_type(ours, group) is OmegaConf.get_type(cfg, group)


@pytest.mark.parametrize(
    "word", [*choices("sampling"), *choices("estimator"), *choices("references")]
)
def test_every_sampling_estimator_and_choice_of_references_is_legal(composer, word):
    group, _, name = word.partition("=")
    assert check(composer(word))[group]["name"] == name


@pytest.mark.parametrize("experiment", choices("experiment"))
def test_every_experiment_composes_and_is_legal(composer, experiment):
    words = (f"+{experiment}", *EXPERIMENT_NEEDS.get(experiment, []))
    cfg = composer(*words, return_hydra_config=True)
    assert cfg.hydra.sweeper.params, "an experiment is a whole sweep"
    check(cfg)


@pytest.mark.parametrize("file", sorted(CONF.rglob("*.yaml")), ids=lambda file: file.stem)
def test_every_config_file_says_first_when_to_choose_it(file):
    lines = file.read_text().splitlines()
    first = next(line for line in lines if not line.startswith("# @package "))
    assert first.startswith("# ")
    assert len(first) > 20


@pytest.mark.parametrize("loss", choices("loss"))
def test_a_knob_that_all_losses_share_can_be_set_for_any_of_them(beside, loss):
    OmegaConf.merge(beside[loss], OmegaConf.from_dotlist(["gamma=1.5", "alpha=0.3"]))
    with pytest.raises(ConfigKeyError):
        OmegaConf.merge(beside[loss], OmegaConf.from_dotlist(["gama=1.5"]))


def test_one_seed_sets_split_and_training_unless_they_are_given(resolved):
    config = resolved("seed=7")
    assert (config["data"]["seed"], config["training"]["seed"]) == (7, 7)
    config = resolved("seed=7", "data.seed=1")
    assert (config["data"]["seed"], config["training"]["seed"]) == (1, 7)


def test_a_table_can_be_tried_without_a_store(composer):
    words = ("+experiment=my_data", "data.path=mine.csv")
    assert composer(*words).compare is True
    assert check(composer(*words, "tracking=none"))["compare"] is False
