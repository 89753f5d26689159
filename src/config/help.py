"""The text of ``python train.py --help``, as Hydra gives it, in a third of its time.

For each of some eighty questions about groups Hydra copies every schema.
"""

from collections.abc import Sequence
from pathlib import Path
from string import Template

from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf, open_dict, read_write

FLAGS = {"-h", "--help"}


def asks_for_help(words: Sequence[str]) -> bool:
    """Whether a command line asks for help, and has no other flag, which would be Hydra's."""
    flags = {word for word in words if word.startswith("-")}
    return bool(flags) and flags <= FLAGS


def help_text(conf: Path, words: Sequence[str]) -> str:
    """What Hydra would print for the configs in CONF and the words of a command line."""
    with initialize_config_dir(version_base="1.3", config_dir=str(conf)):
        overrides = [word for word in words if word not in FLAGS]
        cfg = compose("config", overrides, return_hydra_config=True)
    HydraConfig.instance().set_config(cfg)
    template = Template(cfg.hydra.help.template)
    with read_write(cfg), open_dict(cfg):
        del cfg["hydra"]
    folders = sorted(path for path in conf.iterdir() if path.is_dir() and path.name != "hydra")
    choices = {one.name: sorted(file.stem for file in one.glob("*.yaml")) for one in folders}
    groups = "".join(f"{name}: {', '.join(names)}\n" for name, names in choices.items())
    return template.substitute(APP_CONFIG_GROUPS=groups, CONFIG=OmegaConf.to_yaml(cfg))
