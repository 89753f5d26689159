"""The configs of a sweep's jobs: every combination of the values, composed as by Hydra."""

import contextlib
import itertools
import math
import pickle
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from src.errors import UserError

MOST_JOBS = 100_000
PACKING = 1
"""Level of the compression: the quickest."""


@dataclass(frozen=True)
class Job:
    """A job of a sweep, which may have tens of thousands: its config is kept packed.

    Attributes:
        number: from 0.
        words: its overrides.
        packed: its config, pickled and compressed, some 5 kB instead of 200.
    """

    number: int
    words: list[str]
    packed: bytes

    @property
    def config(self) -> DictConfig:
        """Its config with the ``hydra`` node; a new one each time."""
        config: DictConfig = pickle.loads(zlib.decompress(self.packed))
        return config


def all_overrides(loader: ConfigLoader, master: DictConfig, typed: Sequence[str]) -> list[Override]:
    """The overrides of a sweep: ``hydra.sweeper.params``, then those that were typed, which win."""
    params = master.hydra.sweeper.params or {}
    listed = [f"{key}={value}" for key, value in params.items()]
    return OverridesParser.create(config_loader=loader).parse_overrides([*listed, *typed])


def split(overrides: Sequence[Override], tuned: Sequence[str] = ()) -> list[list[str]]:
    """The words of each job: every combination of the values, the last key fastest.

    Args:
        overrides: parsed; of a key that is there twice the last one counts.
        tuned: keys that come last, so that the trials of a loss and seed follow one another.

    Raises:
        UserError: for a sweep that lists no values.
    """
    values = {override.get_key_element(): values_of(override) for override in overrides}
    words = {key: [f"{key}={value}" for value in several] for key, several in values.items()}
    words |= {key: words.pop(key) for key in tuned if key in words}
    count = math.prod(map(len, words.values()))
    if count > MOST_JOBS:
        longest = max(words.values(), key=len)
        raise UserError(
            f"a sweep of more than {MOST_JOBS} jobs, with {longest[0]}, {longest[1]}, ...; right "
            "are fewer values"
        )
    return [list(job) for job in itertools.product(*words.values())]


def values_of(override: Override) -> list[str]:
    """Its values as text; an interval lists none, nor does a range without a step.

    Raises:
        UserError: where there are none.
    """
    values = []
    if not override.is_sweep_override():
        values = [override.get_value_element_as_str()]
    elif override.is_discrete_sweep():
        with contextlib.suppress(ValueError):
            values = list(itertools.islice(override.sweep_string_iterator(), MOST_JOBS + 1))
    if not values:
        raise UserError(
            f"{override.input_line}: a grid needs values, such as a,b or range(0,5); "
            "hydra/sweeper=optuna searches an interval"
        )
    return values


def pack(number: int, words: Sequence[str], config: DictConfig) -> Job:
    """A job of a config that was composed."""
    return Job(number, list(words), zlib.compress(pickle.dumps(config), PACKING))


class Composer:
    """Composes the jobs of a sweep as Hydra does, which takes a tenth of a second for each.

    Jobs with the same choices of groups begin as copies of one config that Hydra composed; their
    plain values are set in it, in the way in which Hydra sets them.

    Args:
        loader: Hydra's.
        master: the sweep's config.
    """

    def __init__(self, loader: ConfigLoader, master: DictConfig) -> None:
        _ = master.hydra.sweep.dir  # asks what time it is, once for all jobs
        self._loader, self._master = loader, master
        self._parser = OverridesParser.create(config_loader=loader)
        as_typed: Any = OmegaConf.to_container(master.hydra.overrides.hydra)
        self._of_hydra: list[str] = as_typed
        self._parsed: dict[str, Override] = {}
        self._plain: dict[str, bool] = {}
        self._bases: dict[tuple[str, ...], bytes] = {}

    def job(self, number: int, words: Sequence[str]) -> Job:
        """The job of some overrides.

        Raises:
            HydraException: where it does not compose.
        """
        return pack(number, words, self.config(number, words))

    def config(self, number: int, words: Sequence[str]) -> DictConfig:
        """The config of a job, with the ``hydra`` node; arguments and errors as of :meth:`job`."""
        overrides = [self._parse(word) for word in words]
        chosen = tuple(one.input_line or "" for one in overrides if not self._is_plain(one))
        if chosen not in self._bases:
            base = self._loader.load_sweep_config(self._master, list(chosen))
            self._bases[chosen] = pickle.dumps(base)
        config: DictConfig = pickle.loads(self._bases[chosen])
        try:
            for one in filter(self._is_plain, overrides):
                OmegaConf.update(config, one.key_or_group, one.value(), merge=True)
        except OmegaConfBaseException:  # which Hydra says in its own words
            config = self._loader.load_sweep_config(self._master, list(words))
        OmegaConf.copy_cache(from_config=self._master, to_config=config)
        task = [one for one in overrides if not one.is_hydra_override()]
        with open_dict(config):
            config.hydra.overrides.task = [one.input_line for one in task]
            config.hydra.job.override_dirname = _dirname(config, task)
            config.hydra.job.id = str(number)
            config.hydra.job.num = number
        return config

    def _parse(self, word: str) -> Override:
        if word not in self._parsed:
            (self._parsed[word],) = self._parser.parse_overrides([word])
        return self._parsed[word]

    def _is_plain(self, override: Override) -> bool:
        """Whether an override sets a value and chooses nothing."""
        key = override.get_key_element()
        if key not in self._plain:
            sets = key == override.key_or_group and not override.is_hydra_override()
            self._plain[key] = sets and not self._loader.get_group_options(
                key,
                config_name=self._master.hydra.job.config_name,
                overrides=self._of_hydra,
            )
        return self._plain[key]


def _dirname(config: DictConfig, overrides: Sequence[Override]) -> str:
    """What Hydra documents as ``hydra.job.override_dirname``."""
    rules = config.hydra.job.config.override_dirname
    kept = [one for one in overrides if one.key_or_group not in rules.exclude_keys]
    words = sorted(str(one.input_line) for one in kept)
    return str(rules.item_sep.join(words).replace("=", rules.kv_sep))
