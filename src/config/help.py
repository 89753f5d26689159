"""The text of ``python train.py --help``, as Hydra gives it, in a third of its time.

Hydra composes its own config anew for each question about a group, some eighty times for this
text. Here the config is composed once and the choices are read from the folders of ``conf/``.
"""

from collections.abc import Sequence
from pathlib import Path
from string import Template

from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf, open_dict, read_write

FLAGS = ("-h", "--help")
HYDRA = "hydra"


def asks_for_help(words: Sequence[str]) -> bool:
    """Whether the words of a command line ask for help, and use no other flag, which is Hydra's."""
    flags = [word for word in words if word.startswith("-")]
    return bool(flags) and set(flags) <= set(FLAGS)


def help_text(conf: Path, words: Sequence[str]) -> str:
    """What Hydra would print.

    Args:
        conf: folder of the configs, ``config.yaml`` among them.
        words: of the command line; overrides show in the config.
    """
    overrides = [word for word in words if word not in FLAGS]
    with initialize_config_dir(version_base="1.3", config_dir=str(conf)):
        cfg = compose("config", overrides, return_hydra_config=True)
    HydraConfig.instance().set_config(cfg)
    template = Template(cfg.hydra.help.template)
    with read_write(cfg), open_dict(cfg):
        del cfg[HYDRA]
    return template.substitute(APP_CONFIG_GROUPS=_choices(conf), CONFIG=OmegaConf.to_yaml(cfg))


def _choices(conf: Path) -> str:
    """A line for each group: its name, and its choices in order."""
    lines = []
    for folder in sorted(path for path in conf.iterdir() if path.is_dir() and path.name != HYDRA):
        names = ", ".join(sorted(file.stem for file in folder.glob("*.yaml")))
        lines.append(f"{folder.name}: {names}\n")
    return "".join(lines)
