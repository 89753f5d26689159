"""Seeds that are ``auto``: a sweep takes as many as the size of its data leaves time for."""

from collections.abc import Sequence

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from src.config.ranges import AUTO
from src.sweeps.composer import Composer
from src.sweeps.references import all_jobs

SEED = "seed"


def with_planned_seeds(
    loader: ConfigLoader, master: DictConfig, overrides: Sequence[Override]
) -> tuple[list[Override], float]:
    """Overrides in which ``seed=auto`` has become a range.

    Returns:
        The overrides, and the processor seconds that their runs take, about; 0 where the seeds
        were given.

    Raises:
        UserError: where the data cannot be used.
    """
    given = [one.value() for one in overrides if one.get_key_element() == SEED]
    if not given or given[-1] != AUTO:
        return list(overrides), 0.0
    from src.runs.dataset_cache import cached_dataset  # which need more, for nothing without auto
    from src.runs.seed_plan import planned_seeds

    parser, composer = OverridesParser.create(), Composer(loader, master)
    jobs = all_jobs(master, [*overrides, *parser.parse_overrides([f"{SEED}=0"])])
    configs = [composer.checked(composer.job(*job)) for job in enumerate(jobs)]
    seeds, seconds = planned_seeds(configs, cached_dataset(configs[0]["data"]))
    return [*overrides, *parser.parse_overrides([f"{SEED}=range(0,{seeds})"])], seconds
