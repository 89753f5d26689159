"""The config of a command, composed once: to the letter what Hydra composes in two goes."""

import copy
import pickle

import pytest
from hydra import initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import OmegaConf

from src.config import schema
from src.config.composed_once import OnceLoader
from src.config.register import register
from tests.conftest import ROOT


def loaders(conf):
    search_path = create_config_search_path(str(conf))
    return ConfigLoaderImpl(search_path), OnceLoader(search_path)


@pytest.fixture(scope="module")
def conf():
    register()
    with initialize_config_dir(version_base="1.3", config_dir=str(ROOT / "conf")):
        yield ROOT / "conf"
    GlobalHydra.instance().clear()


def as_hydra_does(loader, words, mode, added):
    """The mode is looked up, then the config composed that is run."""
    looked_at = loader.load_configuration(
        "config", words, RunMode.MULTIRUN, validate_sweep_overrides=False
    )
    assert looked_at.hydra.mode == (None if added else mode)
    return loader.load_configuration("config", [*words, *added], mode)


def state(config):
    flags = [
        [node._get_flag(flag) for flag in ("struct", "readonly")] for node in (config, config.hydra)
    ]
    types = [OmegaConf.get_type(config, name) for name in ("loss", "training", "hydra")]
    return OmegaConf.to_container(config, resolve=False), flags, types


@pytest.mark.parametrize(
    ("words", "mode", "added"),
    [
        ([], "RUN", True),
        (["loss=focal", "loss.gamma=1.5", "+training.other=3"], "RUN", True),
        (["hydra.job.name=x", "hydra/launcher=joblib", "hydra.mode=RUN"], "RUN", False),
        (["loss=ce,focal", "seed=range(0,3)"], "MULTIRUN", True),
        (["+experiment=homework", "data=table", "data.path=a b.csv"], "MULTIRUN", True),
    ],
)
def test_the_config_is_the_same_and_composed_once(conf, monkeypatch, words, mode, added):
    hydras, ours = loaders(conf)
    added = [f"hydra.mode={mode}"] if added else []
    expected = state(as_hydra_does(hydras, words, RunMode[mode], added))
    composed = []
    whole = ConfigLoaderImpl._load_configuration_impl

    def counted(*arguments, **options):
        composed.append(1)
        return whole(*arguments, **options)

    monkeypatch.setattr(ConfigLoaderImpl, "_load_configuration_impl", counted)
    assert state(as_hydra_does(ours, words, RunMode[mode], added)) == expected
    assert len(composed) == 1
    assert state(ours.load_configuration("config", [*words, *added], RunMode[mode])) == expected
    assert len(composed) == 2  # what has been handed out is not handed out again


def test_what_has_been_looked_at_serves_no_other_words(conf):
    ours = loaders(conf)[1]
    ours.load_configuration("config", [], RunMode.MULTIRUN, validate_sweep_overrides=False)
    assert ours.load_configuration("config", ["seed=3"], RunMode.RUN).seed == 3


@pytest.mark.parametrize(
    ("words", "mode"),
    [
        (["seed=1,2"], "RUN"),
        (["seed=range(1,3)"], "RUN"),
        (["hydra.job.name=a,b"], "MULTIRUN"),
        (["loss=focl"], "RUN"),
        (["loss.gama=1"], "MULTIRUN"),
    ],
)
def test_a_mistake_is_told_in_hydras_words(conf, words, mode):
    said = []
    for loader in loaders(conf):
        with pytest.raises(HydraException) as caught:
            try:
                as_hydra_does(loader, words, RunMode[mode], [f"hydra.mode={mode}"])
            except HydraException:  # looking up the mode failed: Hydra goes on
                loader.load_configuration("config", [*words, f"hydra.mode={mode}"], RunMode[mode])
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_a_group_left_open_is_asked_for_in_a_run(conf, tmp_path):
    (tmp_path / "group").mkdir()
    (tmp_path / "group" / "choice.yaml").write_text("key: 1\n")
    (tmp_path / "config.yaml").write_text("defaults: [{group: '???'}, _self_]\n")
    with pytest.raises(HydraException, match="You must specify 'group'"):
        as_hydra_does(loaders(tmp_path)[1], [], RunMode.RUN, ["hydra.mode=RUN"])
    swept = as_hydra_does(loaders(tmp_path)[1], [], RunMode.MULTIRUN, ["hydra.mode=MULTIRUN"])
    assert "key" not in swept


def test_a_schema_becomes_a_config_whenever_it_is_asked_for():
    register()
    store = ConfigStore.instance()
    assert {"config_schema.yaml", "schema_loss_ldam.yaml", "schema_data_table.yaml"} <= {
        *store.list("")
    }
    for way in (lambda node: node, copy.copy, lambda node: pickle.loads(pickle.dumps(node))):
        assert way(store.repo["schema_model_cnn.yaml"]).node == OmegaConf.structured(
            schema.CNNConfig
        )
    first = store.load("schema_model_cnn.yaml").node
    first.dense = 5
    assert store.load("schema_model_cnn.yaml").node.dense == 64
