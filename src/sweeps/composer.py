"""The configs of a sweep's jobs: every combination of the values, composed as by Hydra."""

import contextlib
import itertools
import math
import pickle
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from src.config.check import check, check_together
from src.errors import UserError
from src.sweeps.sections import UNKNOWN, sections_of

MOST_JOBS = 100_000


@dataclass(frozen=True)
class Job:
    """A job of a sweep, which may have tens of thousands: its config is composed when it is run.

    Attributes:
        number: from 0.
        words: its overrides.
        base: the config that its choices of groups make, pickled; jobs share it.
        values: plain values that are set in it, by key.
        task: its overrides but for those of Hydra itself, each with its key.
    """

    number: int
    words: list[str]
    base: bytes
    values: dict[str, Any]
    task: list[tuple[str, str]]

    @property
    def config(self) -> DictConfig:
        """Its config with the ``hydra`` node; a new one each time.

        Raises:
            OmegaConfBaseException: for a value that does not fit its key.
        """
        config: DictConfig = pickle.loads(self.base)
        for key, value in self.values.items():
            OmegaConf.update(config, key, value, merge=True)
        with open_dict(config):
            config.hydra.overrides.task = [word for _, word in self.task]
            config.hydra.job.override_dirname = _dirname(config, self.task)
            config.hydra.job.id = str(self.number)
            config.hydra.job.num = self.number
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


class Composer:
    """Composes the jobs of a sweep as Hydra does, which takes a tenth of a second for each.

    Jobs with the same choices of groups begin as copies of one config that Hydra composed; their
    plain values are set in it, in the way in which Hydra sets them.
    """

    def __init__(self, loader: ConfigLoader, master: DictConfig) -> None:
        _ = master.hydra.sweep.dir  # asks what time it is, once for all jobs
        self._loader, self._master = loader, master
        self._parser = OverridesParser.create(config_loader=loader)
        as_typed: Any = OmegaConf.to_container(master.hydra.overrides.hydra)
        self._of_hydra: list[str] = as_typed
        self._parsed: dict[str, Override] = {}
        self._plain: dict[str, bool] = {}
        typed: Any = OmegaConf.to_container(master.hydra.overrides.task)
        self._in_master = [
            one for one in self._parser.parse_overrides(typed) if not one.is_sweep_override()
        ]
        self._bases: dict[tuple[bool, tuple[str, ...]], tuple[bytes, dict[str, Any]]] = {}
        self._checked: dict[tuple[Any, ...], Any] = {}

    def job(self, number: int, words: Sequence[str]) -> Job:
        """The job of some overrides.

        Raises:
            HydraException: where its choices do not compose.
        """
        overrides = [self._parse(word) for word in words]
        base, _ = self._base(overrides)
        values = {one.key_or_group: one.value() for one in overrides if self._is_plain(one)}
        of_task = [one for one in overrides if not one.is_hydra_override()]
        task = [(one.key_or_group, str(one.input_line)) for one in of_task]
        return Job(number, list(words), base, values, task)

    def config(self, job: Job) -> DictConfig:
        """The config of a job, composed now.

        Raises:
            HydraException: where a value does not fit its key.
        """
        try:
            return job.config
        except OmegaConfBaseException:  # which Hydra says in its own words
            return self._loader.load_sweep_config(self._master, job.words)

    def checked(self, job: Job) -> dict[str, Any]:
        """The checked and resolved config of a job, as :func:`src.config.check.check` gives it.

        A section is resolved and checked once for all jobs in which all that it depends on is the
        same; what no single section can know is checked for each job.

        Raises:
            HydraException: where it does not compose.
            UserError: for values that are wrong.
        """
        overrides = [self._parse(word) for word in job.words]
        _, sections = self._base(overrides)
        words: dict[str, str] = defaultdict(str)
        for one in filter(self._is_plain, overrides):
            words[one.key_or_group.partition(".")[0]] += f"{one.input_line}\n"
        keys = {
            name: (name, *((content, words[root]) for root, content in roots.items()))
            for name, roots in sections.items()
            if roots
        }
        if len(keys) == len(sections) and all(key in self._checked for key in keys.values()):
            plain = {name: self._checked[key] for name, key in keys.items()}
            check_together(plain)
            return plain
        plain = check(self.config(job))
        self._checked |= {key: plain[name] for name, key in keys.items()}
        return plain

    def _base(self, overrides: Sequence[Override]) -> tuple[bytes, dict[str, dict[str, str]]]:
        """What Hydra composes of the choices among some overrides, and its sections."""
        chosen = self._choices(overrides)
        words = {one.input_line for one in overrides}
        is_master = chosen == self._choices(self._in_master) and words.issuperset(
            one.input_line for one in self._in_master
        )
        key = is_master, chosen
        if key not in self._bases:
            config = self._master  # which Hydra has composed of the same choices
            if not is_master:
                config = self._loader.load_sweep_config(self._master, list(chosen))
                OmegaConf.copy_cache(from_config=self._master, to_config=config)
            self._bases[key] = pickle.dumps(config), sections_of(config)
        return self._bases[key]

    def _choices(self, overrides: Sequence[Override]) -> tuple[str, ...]:
        return tuple(one.input_line or "" for one in overrides if not self._is_plain(one))

    def _parse(self, word: str) -> Override:
        if word not in self._parsed:
            (self._parsed[word],) = self._parser.parse_overrides([word])
        return self._parsed[word]

    def _is_plain(self, override: Override) -> bool:
        """Whether an override changes a value, to one that depends on no other, and no choice."""
        key, word = override.get_key_element(), str(override.input_line)
        if override.type != OverrideType.CHANGE or UNKNOWN in word:
            return False
        if key not in self._plain:
            sets = key == override.key_or_group and not override.is_hydra_override()
            self._plain[key] = sets and not self._loader.get_group_options(
                key,
                config_name=self._master.hydra.job.config_name,
                overrides=self._of_hydra,
            )
        return self._plain[key]


def _dirname(config: DictConfig, task: Sequence[tuple[str, str]]) -> str:
    """What Hydra documents as ``hydra.job.override_dirname``."""
    rules = config.hydra.job.config.override_dirname
    kept = sorted(word for key, word in task if key not in rules.exclude_keys)
    return str(rules.item_sep.join(kept).replace("=", rules.kv_sep))
