"""On what a section of a config depends, so that the jobs of a sweep share what is the same."""

import re
from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from src.config.check import HYDRA

REFERENCE = re.compile(r"\$\{(?:oc\.env:[^${}]*|(?:\.(?=\w)|([A-Za-z_]\w*\b))[\w.]*)\}")
"""An interpolation of a key by its whole path, of one by its name beside it, or of the environment,
which all jobs share; of any other kind, such as one level up, the text alone tells nothing."""
UNKNOWN = "${"
"""Of what is in no such section, Hydra's node among it, as little is known."""


def sections_of(config: DictConfig) -> dict[str, dict[str, str]]:
    """The sections of a config before its job's values are set in it, Hydra's own left out.

    Returns:
        By name: the name and the content, with its schema, of each section that it depends on, its
        own first; empty where it may depend on anything.
    """
    plain: Any = OmegaConf.to_container(config, resolve=False)
    contents = {
        name: f"{OmegaConf.get_type(config, name)} {value!r}"
        for name, value in plain.items()
        if name != HYDRA and (isinstance(value, dict) or "${." not in str(value))
    }
    return {name: _section(name, contents) for name in plain if name != HYDRA}


def _section(name: str, contents: Mapping[str, str]) -> dict[str, str]:
    roots = [name]
    for root in roots:  # which grow as they are gone through
        text = contents.get(root, UNKNOWN)
        found = REFERENCE.findall(text)
        if text.count(UNKNOWN) > len(found):
            return {}
        roots += [one for one in dict.fromkeys(found) if one and one not in roots]
    return {root: contents[root] for root in roots}
