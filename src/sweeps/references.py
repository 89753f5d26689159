"""Rows for scale: estimators that a sweep fits beside its losses, on the same data and seeds."""

import math
import shlex
from collections.abc import Mapping, Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from src.config.check import OF_IMAGES
from src.config.estimator_schema import FOR_PIXELS
from src.config.ranges import AUTO
from src.errors import UserError, override
from src.sweeps.composer import split, values_of
from src.sweeps.tuning import SEED, tuned_keys

GROUP, ESTIMATOR = "references", "estimator"
BY_DATA = (AUTO, "quick")
"""Choices of ``references`` that leave out, of images, what makes no sense of pixels."""
OF_DATA, OF_SEED = ("data.", "data="), "seed="
"""How the words begin by which jobs have the same data, and the same seed."""
OF_NETWORKS = ("loss", "metric", "model", "training", "sampling")
"""Sections of which a sweep may compare several choices, or values, for its networks."""


def all_jobs(master: DictConfig, overrides: Sequence[Override]) -> list[list[str]]:
    """The words of each job of a sweep: of its losses, and then of its references.

    Of a key that is there twice among the overrides the last one counts.

    Raises:
        UserError: for a sweep that lists no values, and a row that fits no estimator.
    """
    tuned = tuned_keys(master)
    last = {one.get_key_element(): one for one in overrides}
    if GROUP in last and last[GROUP].is_sweep_override():
        raise UserError(
            f"{last[GROUP].input_line}: a sweep has one choice of {GROUP}; right is one of them"
        )
    grids = _grids(master, last)
    jobs = [words for grid in grids for words in split(grid, tuned)]
    shared = _without_networks(list(last.values()))
    trials = max(_trials(grid, tuned) for grid in grids)
    for row in _rows(master):
        jobs += split([*shared, *_row(row, trials)])
    return jobs if len(grids) == 1 else _by_data(jobs)


def _rows(master: DictConfig) -> list[str]:
    """The rows of a sweep; of ``BY_DATA`` those alone that make sense of its data."""
    rows = [str(row) for row in master.references.rows]
    if master.references.name not in BY_DATA or master.data.get("_target_") not in OF_IMAGES:
        return rows
    of_pixels = {f"{ESTIMATOR}={name}" for name in FOR_PIXELS}
    return [row for row in rows if row.split()[0] in of_pixels]


def _grids(master: DictConfig, given: Mapping[str, Override]) -> list[list[Override]]:
    """The overrides of the networks: one grid, or one for each of ``hydra.sweeper.methods``."""
    grids = []
    for line in master.hydra.sweeper.get("methods") or []:
        own = {one.get_key_element(): one for one in _parsed(line)}
        for key in own.keys() & given.keys():
            raise UserError(
                f"{given[key].input_line}: each of hydra.sweeper.methods has a {key} of its own; "
                f"right are other methods, such as {override('hydra.sweeper.methods', [line])}"
            )
        grids.append([*given.values(), *own.values()])
    return grids or [list(given.values())]


def _by_data(jobs: Sequence[list[str]]) -> list[list[str]]:
    """All jobs on one set, seed by seed, then those on the next: it is read and split once."""
    ranks: dict[tuple[str, ...], int] = {}

    def rank(words: Sequence[str], begins: str | tuple[str, ...]) -> int:
        found = tuple(word for word in words if word.startswith(begins))
        return ranks.setdefault(found, len(ranks))

    return sorted(jobs, key=lambda words: (rank(words, OF_DATA), rank(words, OF_SEED)))


def refuse(master: DictConfig, sweeper: str) -> None:
    """Refuses references in a sweep whose jobs are not known before the first of them has run.

    Raises:
        UserError: where the sweep has any.
    """
    if master.references.rows:
        raise UserError(
            f"{GROUP}={master.references.name}: only hydra/sweeper=grid plans references; with "
            f"{override('hydra/sweeper', sweeper)} right is {GROUP}=none"
        )


def _row(row: str, trials: int) -> list[Override]:
    """The overrides of a row, with as many values to tune over as each loss has at most.

    Where no loss is tuned, the estimator's own defaults count.
    """
    found = _parsed(row)
    keys = [one.get_key_element() for one in found]
    if ESTIMATOR not in keys or not all(key.partition(".")[0] == ESTIMATOR for key in keys):
        raise UserError(
            f"{GROUP}.rows: '{row}' has to name an estimator, and its keys where it sets any; "
            "right is 'estimator=random_forest estimator.min_samples_leaf=1,4,16'"
        )
    kept = []
    for one in found:
        if not one.is_sweep_override():
            kept.append(one)
        elif trials > 1:
            fewer = f"{one.get_key_element()}={','.join(_spread(one, trials))}"
            kept += OverridesParser.create().parse_overrides([fewer])
    return kept


def _parsed(line: str) -> list[Override]:
    return OverridesParser.create().parse_overrides(shlex.split(line))


def _spread(override: Override, most: int) -> list[str]:
    """So many values of an override at most, from the first to the last one."""
    values = values_of(override)
    if len(values) <= most:
        return values
    return [values[round(n * (len(values) - 1) / (most - 1))] for n in range(most)]


def _trials(overrides: Sequence[Override], tuned: Sequence[str]) -> int:
    """How many trials each loss has with one seed."""
    varied = [
        len(values_of(one))
        for one in overrides
        if one.is_sweep_override() and _is_tuned(one.get_key_element(), tuned)
    ]
    return math.prod(varied)


def _is_tuned(key: str, tuned: Sequence[str]) -> bool:
    return key in tuned or (key.startswith("training.") and key != SEED)


def _without_networks(overrides: Sequence[Override]) -> list[Override]:
    """The overrides without the losses, and without all that is compared among networks."""
    swept = {
        one.get_key_element()
        for one in overrides
        if one.is_sweep_override() and one.get_key_element() in OF_NETWORKS
    }
    return [one for one in overrides if not _is_of_networks(one, {"loss", *swept})]


def _is_of_networks(one: Override, dropped: set[str]) -> bool:
    section = one.key_or_group.partition(".")[0]
    is_varied = section in OF_NETWORKS and one.is_sweep_override()
    return section in dropped or (is_varied and one.get_key_element() != SEED)
