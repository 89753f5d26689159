"""A warning about data is shown once per sweep, whichever of its processes gives it first."""

import logging

import pytest
from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import OmegaConf

from src.config.once_per_sweep import OncePerSweep, given_warnings_forgotten

TABLE, IMAGES = "src.data.splitting.leaks", "src.data.images.fashion_mnist"


@pytest.fixture
def shown(tmp_path):
    """Whether a process that begins anew shows a warning; of a sweep, or of one run."""

    def shows(name, message, *arguments, once=None, mode="MULTIRUN", level=30):
        if mode is not None:
            hydra = OmegaConf.structured(HydraConf)
            hydra.mode = RunMode[mode]
            HydraConfig.instance().set_config(OmegaConf.create({"hydra": hydra}))
        record = logging.LogRecord(name, level, "", 0, message, arguments, None)
        record.__dict__ |= {"once": once} if once else {}
        return OncePerSweep(str(tmp_path), "sweep").filter(record)

    yield shows
    HydraConfig.instance().cfg = None


def test_another_process_of_the_sweep_does_not_show_it_again(shown):
    leak = (TABLE, "%s: %d groups are on both sides")
    assert shown(*leak, "a.csv", 28, once="groups of a.csv")
    assert not shown(*leak, "a.csv", 27, once="groups of a.csv"), "another split of the same table"
    assert shown(*leak, "b.csv", 28, once="groups of b.csv")
    assert shown(TABLE, "%s: one column tells", "a.csv", mode=None), "while the sweep is planned"
    assert not shown(TABLE, "%s: one column tells", "a.csv")
    assert shown(IMAGES, "%s: not the official files", "folder")
    assert not shown(IMAGES, "%s: not the official files", "folder")


def test_what_is_no_warning_about_data_or_of_one_run_is_always_shown(shown, tmp_path):
    for _ in range(2):
        assert shown(TABLE, "%s: read", "a.csv", level=20)
        assert shown("src.engine.seeding", "%s", "a.csv")
        assert shown(TABLE, "%s: one column tells", "a.csv", mode="RUN")
    assert not (tmp_path / "sweep").exists()


def test_a_folder_that_cannot_be_written_hides_nothing(shown, tmp_path):
    (tmp_path / "sweep").write_text("a file")
    assert shown(TABLE, "%s: one column tells", "a.csv")
    assert shown(TABLE, "%s: one column tells", "a.csv")


@pytest.mark.parametrize("began", [False, True])
def test_marks_end_with_the_sweep_and_a_folder_that_holds_nothing_else(shown, tmp_path, began):
    sweep = tmp_path / "sweep"
    with pytest.raises(KeyError), given_warnings_forgotten(sweep):
        assert shown(TABLE, "%s: one column tells", "a.csv")
        if began:
            (sweep / "multirun.yaml").touch()
        raise KeyError("in the plan")
    assert [path.name for path in tmp_path.rglob("*")] == (["sweep", "multirun.yaml"] * began)
