"""Whatever is typed behind `python train.py`, it is a config or one clear error.

FUZZ_EXAMPLES=2000 tries more than the suite does.
"""

import os

from hydra import compose, initialize_config_dir
from hypothesis import event, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from src.config.check import check
from src.config.register import register
from src.entry import is_mistake, message
from src.runs.identity import config_identity, setting_identity
from src.runs.labels import run_label
from src.runs.metadata import flat_params
from tests.reliability.children import ROOT

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "40"))
CONF = ROOT / "conf"
GROUPS = {
    group: sorted(file.stem for file in (CONF / group).glob("*.yaml"))
    for group in ("loss", "metric", "model", "data", "sampling", "tracking")
}
KEYS = [
    *("seed", "force", "resume", "loss", "model", "data", "metric", "training", "tracking"),
    *(f"loss.{key}" for key in ("gamma", "alpha", "name", "fn", "fn._target_", "beta", "tau")),
    *(f"model.{key}" for key in ("hidden", "dropout", "clip_norm", "_target_", "filters", "scale")),
    *(f"data.{key}" for key in ("n_samples", "minority_fraction", "seed", "path", "label", "drop")),
    *(f"training.{key}" for key in ("epochs", "batch_size", "optimizer", "optimizer._target_")),
    *(f"training.{key}" for key in ("patience", "mode", "precision", "threads", "seed", "monitor")),
    *("sampling", *(f"sampling.{key}" for key in ("batches", "_target_", "k_neighbors"))),
    *(f"tracking.{key}" for key in ("enabled", "root", "uri", "experiment", "plots")),
    *("metric.metrics", "metric.metrics.f1_macro", "metric.metrics.f1_macro._target_", "hydra"),
]
VALUES = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(str),
    st.sampled_from(
        [
            *("null", "true", "???", "auto", "", "''", "{}", "[]", "[0]", "[[1],[2]]"),
            *("[1,a,null]", "a b"),
            *("{a:1}", "{_target_:os.system}", "${seed}", "${loss}", "${nope}", "${training.seed}"),
            *("${oc.env:NOPE}", "../../etc/passwd", "'\\0'", "é", "1e400", "0x10", "{", "["),
        ]
    ),
    st.text(max_size=12),
)
OVERRIDES = st.one_of(
    st.builds("{}{}={}".format, st.sampled_from(["", "+", "++"]), st.sampled_from(KEYS), VALUES),
    st.builds("~{}".format, st.sampled_from(KEYS)),
    st.sampled_from([f"{group}={name}" for group, names in GROUPS.items() for name in names]),
    st.sampled_from(list(GROUPS)).flatmap(
        lambda group: st.text(max_size=8).map(lambda name: f"{group}={name}")
    ),
    st.text(max_size=20),
)


@settings(max_examples=EXAMPLES, derandomize=True, deadline=None)
@given(st.lists(OVERRIDES, min_size=1, max_size=4))
def test_strange_words_are_a_config_or_a_clear_error(words):
    register()
    try:
        with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
            cfg = compose("config", words)
        check(cfg)
    except Exception as error:
        if not is_mistake(error):
            raise
        event(f"refused with {type(error).__name__}")
        said = message(error)
        assert said.strip()
        assert "Traceback" not in said
    else:
        event("accepted")
        config = OmegaConf.to_container(cfg, resolve=True)
        assert len(config_identity(config)) == len(setting_identity(config)) == 64
        assert run_label(config)
        assert flat_params(config)
