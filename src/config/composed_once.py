"""One composition at the start of a command, where Hydra composes the same config twice.

``hydra.main`` first composes it to see whether ``hydra.mode`` is set, and then once more to run,
with the mode among the words; each time takes 0.08 s.
"""

from collections.abc import Sequence

import hydra._internal.hydra
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

MODE = "hydra.mode="


class OnceLoader(ConfigLoaderImpl):
    """Hydra's loader; hands out the config in which the mode was looked up, if that is the same."""

    _looked_at: tuple[str | None, list[str], DictConfig] | None = None

    def load_configuration(
        self,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        from_shell: bool = True,
        validate_sweep_overrides: bool = True,
    ) -> DictConfig:
        """The composed config, as Hydra's own loader gives it."""
        before, self._looked_at = self._looked_at, None
        if before and before[0] == config_name and validate_sweep_overrides:
            config = self._completed(before[2], overrides, before[1], run_mode, from_shell)
            if config is not None:
                return config
        config = super().load_configuration(
            config_name, overrides, run_mode, from_shell, validate_sweep_overrides
        )
        if not validate_sweep_overrides:  # in Hydra.get_mode alone, which reads the mode only
            self._looked_at = (config_name, list(overrides), config)
        return config

    def _completed(
        self,
        config: DictConfig,
        words: list[str],
        words_before: Sequence[str],
        run_mode: RunMode,
        from_shell: bool,
    ) -> DictConfig | None:
        """The config with the mode that has joined its words; None where Hydra has to compose."""
        added = words[len(words_before) :]
        if words != [*words_before, *added] or not all(one.startswith(MODE) for one in added):
            return None
        if run_mode == RunMode.RUN and OmegaConf.missing_keys(config.hydra.runtime.choices):
            return None  # nothing may be left open in a run: Hydra says which group is
        parsed = OverridesParser.create().parse_overrides(words)
        self.validate_sweep_overrides_legal(parsed, run_mode=run_mode, from_shell=from_shell)
        self._apply_overrides_to_config(parsed[len(words_before) :], config)
        config.hydra.overrides.hydra.extend(added)
        return config


def compose_once() -> None:
    """Makes :class:`OnceLoader` what ``hydra.main`` composes with."""
    hydra._internal.hydra.ConfigLoaderImpl = OnceLoader  # type: ignore[misc]
