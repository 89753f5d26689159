"""Jobs of a sweep, composed quickly: to the letter what Hydra composes for each."""

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import OmegaConf, open_dict

from src.config.register import register
from src.tracking.sweep_composing import Composer

CONF = Path(__file__).resolve().parents[2] / "conf"


@pytest.fixture(scope="module")
def composing():
    """Hydra's loader, the config of a sweep, and what composes its jobs."""
    register()
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        master = compose("config", ["hydra.job.config_name=config"], return_hydra_config=True)
        loader = GlobalHydra.instance().config_loader()
        yield loader, master, Composer(loader, master)


def by_hydra(loader, master, words):
    config = loader.load_sweep_config(master_config=master, sweep_overrides=words)
    with open_dict(config):
        config.pop("hydra")
    return config


@pytest.mark.parametrize(
    "words",
    [
        ["seed=3"],
        ["loss=focal", "loss.gamma=1.5", "seed=4"],
        ["loss.gamma=0", "loss=focal"],
        ["+experiment=homework", "loss=weighted_ce", "seed=1", "model.hidden=[16]"],
        ["model=cosine", "++training.epochs=7"],
        ["loss=focal", "loss.alpha=null", "data=table", "data.path=a b.csv"],
        ["hydra.job.name=other", "seed=2"],
    ],
    ids=" ".join,
)
def test_a_job_is_what_hydra_composes(composing, words):
    loader, master, composer = composing
    for _ in range(2):  # the second time from what the first one left
        found = composer.config(words)
        theirs = by_hydra(loader, master, words)
        assert found == theirs
        assert OmegaConf.get_type(found, "training") is OmegaConf.get_type(theirs, "training")


def test_no_job_sees_the_values_of_another(composing):
    composer = composing[2]
    composer.config(["loss=focal", "loss.gamma=5", "training.epochs=99"])
    other = composer.config(["loss=focal", "seed=1"])
    assert (other.loss.gamma, other.training.epochs) == (2.0, 20)


@pytest.mark.parametrize(
    "word", ["training.epoch=3", "training.learning_rate=many", "~training.nothing"]
)
def test_a_mistake_is_told_in_hydras_words(composing, word):
    loader, master, composer = composing
    with pytest.raises(HydraException) as theirs:
        by_hydra(loader, master, [word])
    with pytest.raises(HydraException) as ours:
        composer.config([word])
    assert str(ours.value) == str(theirs.value)
