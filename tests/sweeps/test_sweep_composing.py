"""Jobs of a sweep, composed quickly: to the letter what Hydra composes for each."""

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import OmegaConf, open_dict

from src.config.register import register
from src.sweeps.sweep_composing import Composer

CONF = Path(__file__).resolve().parents[2] / "conf"


@pytest.fixture(scope="module")
def composing():
    """Hydra's loader, the config of a sweep, and what composes its jobs."""
    register()
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        master = compose("config", ["hydra.job.config_name=config"], return_hydra_config=True)
        loader = GlobalHydra.instance().config_loader()
        yield loader, master, Composer(loader, master)


def whole_by_hydra(loader, master, words):
    return loader.load_sweep_config(master_config=master, sweep_overrides=words)


def written(config):
    """As it stands, interpolations and missing values included."""
    return OmegaConf.to_container(config, resolve=False)


def by_hydra(loader, master, words):
    config = whole_by_hydra(loader, master, words)
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
        ["hydra/job_logging=none", "seed=2"],
        [],
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
        job, whole = composer.job(words), whole_by_hydra(loader, master, words)
        assert written(job) == written(whole)
        assert job.hydra.overrides.task == [w for w in words if not w.startswith("hydra")]
        for node in (None, "hydra", "training"):
            of_both = [config if node is None else config[node] for config in (job, whole)]
            flags = [[each._get_flag(flag) for flag in ("struct", "readonly")] for each in of_both]
            assert flags[0] == flags[1]


@pytest.mark.parametrize(
    ("words", "composed"),
    [
        (["loss=focal", "loss.gamma=0,-1"], 0),
        (["seed=1,2", "training.epochs=3"], 0),
        (["model.hidden=[8],[4,2]", "model.hidden=[9,9,9]"], 0),
        (["+experiment=homework", "seed=1,2"], 0),
        (["hydra.job.name=x", "loss.fn.from_logits=true", "training.monitor='a b'"], 0),
        (["loss=focal,ce", "seed=1"], 1),
        (["+training.other=1", "seed=1,2"], 1),
        (["~loss.fn.from_logits", "seed=1,2"], 1),
        (["loss.fn={from_logits:false}", "loss.fn={_target_:a.b},{_target_:c.d}"], 1),
    ],
)
def test_a_job_with_the_sweeps_own_groups_starts_from_the_sweeps_config(
    composing, monkeypatch, words, composed
):
    loader = composing[0]
    master = loader.load_configuration("config", [*words, "hydra.mode=MULTIRUN"], RunMode.MULTIRUN)
    task = OverridesParser.create(config_loader=loader).parse_overrides(master.hydra.overrides.task)
    of_job = BasicSweeper.split_arguments(task, max_batch_size=None)[0][-1]
    theirs, whole = by_hydra(loader, master, of_job), whole_by_hydra(loader, master, of_job)
    times = []
    by_loader = type(loader).load_sweep_config
    monkeypatch.setattr(
        type(loader),
        "load_sweep_config",
        lambda *arguments, **options: times.append(1) or by_loader(*arguments, **options),
    )
    composer = Composer(loader, master)
    found = composer.config(of_job)
    assert len(times) == composed
    assert written(found) == written(theirs)
    assert written(composer.job(of_job)) == written(whole)
    assert OmegaConf.get_type(found, "loss") is OmegaConf.get_type(theirs, "loss")
    assert found._get_flag("struct") == theirs._get_flag("struct")


def test_the_folder_of_the_sweep_is_the_same_for_all_jobs(composing):
    loader, master, _ = composing
    composer = Composer(loader, master)
    composer.job(["seed=1"])
    of_sweep = master.hydra.sweep.dir  # with the time of its start, asked for after the first job
    assert composer.job(["seed=2"]).hydra.sweep.dir == of_sweep


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
