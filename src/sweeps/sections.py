"""On what a section of a config depends, so that the jobs of a sweep share what is the same."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf

from src.config.check import HYDRA

REFERENCE = re.compile(r"\$\{(?:oc\.env:[^${}]*|(?:\.(?=\w)|([A-Za-z_]\w*\b))[\w.]*)\}")
"""An interpolation of a key by its whole path, of one by its name beside it, or of the environment,
which all jobs share; of any other kind, such as one level up, the text alone tells nothing."""
UNKNOWN = "${"
"""Of what is in no such section, Hydra's node among it, as little is known."""


@dataclass(frozen=True)
class Section:
    """A section of a config before its job's values are set in it.

    Attributes:
        content: all that it depends on, as text, and the schemas of that.
        roots: names of the sections that it depends on, its own among them; empty where it may
            depend on anything.
    """

    content: str
    roots: tuple[str, ...]


def sections_of(config: DictConfig) -> dict[str, Section]:
    """The sections of a config by name, Hydra's own left out."""
    plain: Any = OmegaConf.to_container(config, resolve=False)
    contents = {
        name: f"{OmegaConf.get_type(config, name)} {value!r}"
        for name, value in plain.items()
        if name != HYDRA and (isinstance(value, dict) or "${." not in str(value))
    }
    return {name: _section(name, contents) for name in plain if name != HYDRA}


def _section(name: str, contents: Mapping[str, str]) -> Section:
    roots = [name]
    for root in roots:  # which grow as they are gone through
        text = contents.get(root, UNKNOWN)
        found = REFERENCE.findall(text)
        if text.count(UNKNOWN) > len(found):
            return Section("", ())
        roots += [one for one in dict.fromkeys(found) if one and one not in roots]
    return Section("\n".join(contents[root] for root in roots), tuple(roots))
