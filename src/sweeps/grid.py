"""A grid: every combination of the values that were typed."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext
from omegaconf import DictConfig

from src.errors import UserError
from src.sweeps.jobs import compose
from src.sweeps.plan import Plan
from src.sweeps.sweep import Sweep


def split(overrides: Sequence[Override]) -> list[list[str]]:
    """The words of each job of a grid: every combination of the values, the last key fastest.

    Args:
        overrides: parsed; of a key that is there twice the last one counts.

    Raises:
        UserError: for a sweep that lists no values.
    """
    values: dict[str, list[str]] = {}
    for override in overrides:
        key = override.get_key_element()
        if not override.is_sweep_override():
            values[key] = [f"{key}={override.get_value_element_as_str()}"]
            continue
        try:
            found = list(override.sweep_string_iterator()) if override.is_discrete_sweep() else []
        except ValueError:  # range(0,3,0)
            found = []
        if not found:
            raise UserError(
                f"{override.input_line}: a grid needs values, such as a,b or range(0,5); "
                "hydra/sweeper=optuna searches an interval"
            )
        values[key] = [f"{key}={value}" for value in found]
    return [list(words) for words in itertools.product(*values.values())]


def sweep_grid(
    launcher: Launcher,
    context: HydraContext,
    config: DictConfig,
    typed: Sequence[str],
    params: Mapping[str, Any] | None = None,
) -> list[JobReturn]:
    """Runs every combination of the values that were typed.

    Args:
        launcher: runs the jobs.
        context: Hydra's.
        config: the sweep's.
        typed: overrides of the command line; they win over ``params``.
        params: more of them, by key.

    Returns:
        What Hydra returns for each job.

    Raises:
        UserError: names the first job whose config is wrong, before any has begun.
        Exception: what the first job failed with, after all have ended.
    """
    words = [*(f"{key}={value}" for key, value in (params or {}).items()), *typed]
    parser = OverridesParser.create(config_loader=context.config_loader)
    sweep = run_grid(launcher, context, config, split(parser.parse_overrides(words)))
    sweep.raise_first_error()
    return sweep.results


def run_grid(
    launcher: Launcher,
    context: HydraContext,
    config: DictConfig,
    jobs: Sequence[Sequence[str]],
    first: int = 0,
) -> Sweep:
    """Runs jobs as one sweep, which has ended when it is returned.

    Args:
        launcher: runs them.
        context: Hydra's.
        config: the sweep's.
        jobs: the overrides of each.
        first: number of the first one.
    """
    composed = [compose(context, config, words, first + i) for i, words in enumerate(jobs)]
    with Sweep(config, len(composed), Plan.of(composed)) as sweep:
        sweep.run(launcher, composed)
    return sweep
