"""Composes the jobs of a sweep quickly: the groups once, the values of each job onto a copy.

Composing takes Hydra about 0.06 s a job, most of it for reading the same files and merging them in
the same way again: a minute for a thousand jobs, before the first is trained.
"""

import copy
from collections.abc import Sequence
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl, get_overrides_dirname
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from omegaconf import DictConfig, OmegaConf, open_dict, read_write


class Composer:
    """Gives the config of each job of a sweep, with its ``hydra`` node or without.

    Args:
        loader: Hydra's.
        master: the sweep's config.

    Attributes:
        master: the sweep's config.
    """

    def __init__(self, loader: Any, master: DictConfig) -> None:
        self._loader = loader
        self.master = master
        self._parser = OverridesParser.create(config_loader=loader)
        self._parsed: dict[str, Override] = {}
        self._whole: dict[tuple[str, ...], DictConfig] = {}
        self._bases: dict[tuple[str, ...], DictConfig] = {}
        self._begin_with_master()

    def _begin_with_master(self) -> None:
        """The sweep's config is that of the jobs which choose no other groups than it does.

        It holds the words that are the same for all jobs, and a job sets them once more: where
        each gives a key a value, that changes nothing.
        """
        words = [self._override(word) for word in self.master.hydra.overrides.task]
        alike = [word for word in words if not word.is_sweep_override()]
        groups = [word for word in alike if self._is_group(word)]
        if all(word.type == OverrideType.CHANGE for word in alike if word not in groups):
            self._of_master = frozenset(map(_as_jobs_have_it, alike))
            self._keep(tuple(map(_as_jobs_have_it, groups)), self.master)

    def _keep(self, groups: tuple[str, ...], config: DictConfig) -> None:
        self._whole[groups] = config
        self._bases[groups] = _without_hydra(copy.deepcopy(config))

    def config(self, words: Sequence[str]) -> DictConfig:
        """The composed config of one job, without its ``hydra`` node.

        Args:
            words: its overrides.

        Raises:
            HydraException: where it does not compose.
        """
        return self._quick(words, self._bases) or _without_hydra(self._composed(words))

    def job(self, words: Sequence[str]) -> DictConfig:
        """The same with the ``hydra`` node, as a job of Hydra is run with.

        Args:
            words: its overrides.

        Raises:
            HydraException: where it does not compose.
        """
        config = self._quick(words, self._whole)
        if config is None:
            return self._composed(words)
        OmegaConf.copy_cache(from_config=self.master, to_config=config)  # of what ${now:} gave
        names = config.hydra.job.config.override_dirname
        config.hydra.overrides.task = list(words)
        config.hydra.job.override_dirname = get_overrides_dirname(
            overrides=[self._override(word) for word in words],
            kv_sep=names.kv_sep,
            item_sep=names.item_sep,
            exclude_keys=names.exclude_keys,
        )
        return config

    def _quick(
        self, words: Sequence[str], bases: dict[tuple[str, ...], DictConfig]
    ) -> DictConfig | None:
        """A job's values on a copy of its groups' config; None where Hydra has to do it."""
        overrides = [self._override(word) for word in words]
        if any(one.is_hydra_override() for one in overrides):
            return None  # what is set there may be used anywhere
        in_groups = [self._is_group(one) for one in overrides]
        groups = tuple(word for word, is_one in zip(words, in_groups, strict=True) if is_one)
        kept = self._whole.get(groups)
        if kept is None or (kept is self.master and not self._of_master.issubset(words)):
            self._keep(groups, self._composed(groups))
        config = copy.deepcopy(bases[groups])
        values = [one for one, is_one in zip(overrides, in_groups, strict=True) if not is_one]
        try:
            ConfigLoaderImpl._apply_overrides_to_config(values, config)
        except Exception:  # composed as a whole it fails in Hydra's own words
            return None
        return config

    def _composed(self, words: Sequence[str]) -> DictConfig:
        config: DictConfig = self._loader.load_sweep_config(
            master_config=self.master, sweep_overrides=list(words)
        )
        return config

    def _override(self, word: str) -> Override:
        if word not in self._parsed:
            self._parsed[word] = self._parser.parse_override(word)
        return self._parsed[word]

    def _is_group(self, override: Override) -> bool:
        return bool(self._loader.repository.group_exists(override.key_or_group))


_last: list[Composer] = []
"""That of the sweep under way: what plans its jobs and what launches them compose alike."""


def composer_of(loader: Any, master: DictConfig) -> Composer:
    """The composer of a sweep, with what it has composed so far.

    Args:
        loader: Hydra's.
        master: the sweep's config.
    """
    if not _last or _last[0].master is not master:
        _last[:] = [Composer(loader, master)]
    return _last[0]


class QuickLoader:
    """Hydra's loader of configs, as a launcher uses it, but for how it composes the jobs.

    Args:
        loader: Hydra's.
    """

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def load_sweep_config(self, master: DictConfig, words: Sequence[str]) -> DictConfig:
        """The config of one job, with its ``hydra`` node.

        Args:
            master: the sweep's config.
            words: the job's overrides.
        """
        return composer_of(self._loader, master).job(words)

    def __getattr__(self, name: str) -> Any:
        """All else is Hydra's."""
        return getattr(self._loader, name)


def _as_jobs_have_it(override: Override) -> str:
    """A word that is the same for all jobs, as Hydra's sweeper hands it to each."""
    return f"{override.get_key_element()}={override.get_value_element_as_str()}"


def _without_hydra(config: DictConfig) -> DictConfig:
    with read_write(config), open_dict(config):
        del config["hydra"]
    return config
