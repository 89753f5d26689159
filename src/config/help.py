"""The text of ``python train.py --help``: what it is and examples first, then groups and keys.

Hydra would print every key on a line of its own, and copies every schema for each of some eighty
questions about groups.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from string import Template
from textwrap import fill
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

FLAGS = {"-h", "--help"}
LONG_FORMS = ("atlas", "study", "suite", "metric")
"""Groups that experiments choose from, or nobody often; docs/ tells of them."""
ATLAS = "atlas_"
"""Begins the names of several experiments."""
HIDDEN = ("hydra", "metric", "estimator", "references", "tuning", "tracking")
"""Sections whose keys say little by themselves; the same of keys below."""
HIDDEN_KEYS = ("_target_", "name", "fn", "optimizer", "input_shape", "num_classes")
WIDTH = 108


def asks_for_help(words: Sequence[str]) -> bool:
    """Whether a command line asks for help, and has no other flag, which would be Hydra's."""
    flags = {word for word in words if word.startswith("-")}
    return bool(flags) and flags <= FLAGS


def help_text(conf: Path, words: Sequence[str]) -> str:
    """The help for the configs in CONF, with the values that the words of a command line give."""
    with initialize_config_dir(version_base="1.3", config_dir=str(conf)):
        overrides = [word for word in words if word not in FLAGS]
        cfg = compose("config", overrides, return_hydra_config=True)
    HydraConfig.instance().set_config(cfg)
    template = Template(cfg.hydra.help.template)
    folders = sorted(path for path in conf.iterdir() if path.is_dir() and path.name != "hydra")
    choices = {one.name: sorted(file.stem for file in one.glob("*.yaml")) for one in folders}
    groups = [
        _indented(f"{name}: {', '.join(_in_short(names))}")
        for name, names in choices.items()
        if name not in LONG_FORMS
    ]
    plain = OmegaConf.to_container(cfg)
    assert isinstance(plain, dict)  # a config is
    keys = [_indented(line) for line in _keys({str(key): node for key, node in plain.items()})]
    text = template.substitute(APP_CONFIG_GROUPS="\n".join(groups), CONFIG="\n".join(keys))
    return "\n".join(line.rstrip() for line in text.splitlines())


def _in_short(names: Sequence[str]) -> list[str]:
    """The names, with a star for all of the atlas."""
    return list(dict.fromkeys(f"{ATLAS}*" if one.startswith(ATLAS) else one for one in names))


def _keys(config: Mapping[str, Any]) -> Iterator[str]:
    """A paragraph for the keys without a section, then one a section."""
    alone = {key: node for key, node in config.items() if not isinstance(node, Mapping)}
    yield " ".join(_pairs(alone))
    for section, node in config.items():
        if isinstance(node, Mapping) and section not in HIDDEN:
            pairs = " ".join(_pairs(node))
            if pairs:
                yield f"{section}: {pairs}"


def _pairs(node: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in node.items():
        if key in HIDDEN_KEYS:
            continue
        if isinstance(value, Mapping):
            yield from _pairs(value, f"{prefix}{key}.")
        elif not str(value).startswith("${"):
            yield f"{prefix}{key}={_shown(value)}"


def _shown(value: Any) -> str:
    """A value as it is typed."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"[{','.join(map(_shown, value))}]" if isinstance(value, list) else str(value)


def _indented(text: str) -> str:
    return fill(text, WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
