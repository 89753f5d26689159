"""The jobs of a sweep: composed and checked before any is trained, run here or in a worker."""

import contextlib
import io
import pickle
import traceback
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from src.errors import UserError
from src.runs.identity import config_identity, digest_of, is_reference
from src.sweeps.composer import Composer, Job
from src.sweeps.cores import one_thread
from src.sweeps.data_sets import SetPlan, stay_on_disk
from src.sweeps.tuning import check_plan, has_key, tuned_keys


@dataclass(frozen=True)
class Plan:
    """The jobs of a grid, in the order in which they were typed.

    Attributes:
        jobs: all of them.
        identities: of their configs; equal ones are one experiment.
        forced: whether any job is to be trained though it is done.
        one_source: whether all jobs have the same data, seeds aside.
        settings: the same for plans that differ in their seeds alone.
        seeds: on which losses are compared.
        tuned: keys that each loss is tuned over.
        varied: how many values each key has that has several, among the jobs of networks.
        references: how many jobs fit an estimator.
        seconds: of processor that they all take; 0 where that is not known.
        sets_left_out: a sentence on each data set that the sweep could have had, and has not.
        on_disk: data whose references are not among the jobs, since its images stay on disk.
    """

    jobs: list[Job]
    identities: list[str]
    forced: bool
    one_source: bool
    settings: str
    seeds: list[int]
    tuned: list[str]
    varied: dict[str, int]
    references: int
    seconds: float
    sets_left_out: Sequence[str]
    on_disk: Sequence[str]

    @classmethod
    def of(
        cls,
        context: HydraContext,
        master: DictConfig,
        words_of_jobs: Sequence[Sequence[str]],
        first: int = 0,
        *,
        sets: SetPlan | None = None,
        seconds: float = 0.0,
    ) -> "Plan":
        """Composes and checks jobs, the first of which has the number FIRST.

        Args:
            context: Hydra's.
            master: the sweep's config.
            words_of_jobs: the overrides of each.
            first: number.
            sets: what is known of the data.
            seconds: of processor that all jobs take; else it follows from the data.

        Raises:
            UserError: names the first job whose config is wrong.
        """
        composer = Composer(context.config_loader, master)
        more = one_thread(master, words_of_jobs)
        jobs = [composer.job(n, [*words, *more]) for n, words in enumerate(words_of_jobs, first)]
        configs = []
        for job in jobs:
            try:
                configs.append(composer.checked(job))
            except UserError as error:
                words = " ".join(job.words)
                raise UserError(f"job {job.number} ({words}): {error}") from error
        both, on_disk = _fitted_in_memory(list(zip(jobs, configs, strict=True)), first)
        networks = [(job, plain) for job, plain in both if not is_reference(plain)]
        values: dict[str, set[str]] = defaultdict(set)
        for job, _ in networks:
            for key, _, value in (word.partition("=") for word in job.words):
                values[key].add(value)
        jobs, configs = [job for job, _ in both], [plain for _, plain in both]
        seeds = sorted({int(plain["seed"]) for plain in configs})
        keys = tuned_keys(configs[0])
        known = {key for key in keys if any(has_key(plain, key) for _, plain in networks)}
        check_plan(configs[0], known, values, seeds)
        if sets and not seconds:
            seconds = sum(sets.seconds(job.words, plain) for job, plain in both)
        return cls(
            jobs,
            [config_identity(plain) for plain in configs],
            forced=any(plain["force"] for plain in configs),
            one_source=len({digest_of(plain["data"] | {"seed": None}) for plain in configs}) == 1,
            settings=digest_of(
                {"jobs": sorted({config_identity(_without_seeds(plain)) for _, plain in networks})}
            ),
            seeds=seeds,
            tuned=keys,
            varied={key: len(several) for key, several in values.items() if len(several) > 1},
            references=len(jobs) - len(networks),
            seconds=seconds,
            sets_left_out=sets.left_out if sets else (),
            on_disk=on_disk,
        )

    @property
    def identity(self) -> str:
        """The same for sweeps over the same set of experiments, in any order."""
        return digest_of({"jobs": sorted(set(self.identities))})

    def summary(self) -> str:
        """How many jobs there are, and how many of them are different experiments."""
        jobs, different = len(self.jobs), len(set(self.identities))
        same = "" if jobs == different else f", {different} different experiments"
        said = f"Sweep of {jobs} job{'s' if jobs > 1 else ''}{same}."
        if self.on_disk:
            names = ", ".join(self.on_disk)
            said += (
                f"\nReferences left out: the images of {names} stay on disk, and an estimator "
                "needs all of them in memory; a larger data.memory_share, or of a folder a smaller "
                "data.image_size, brings them back."
            )
        return said

    @property
    def over_losses(self) -> bool:
        """Whether it has several losses, or samplings of one, to compare."""
        return not {"loss", "sampling"}.isdisjoint(self.varied)

    def repeats_last(self) -> list[Job]:
        """The jobs, those that repeat an earlier one's experiment last: its run answers them."""
        seen: set[str] = set()
        first: list[Job] = []
        later: list[Job] = []
        for job, identity in zip(self.jobs, self.identities, strict=True):
            (later if identity in seen else first).append(job)
            seen.add(identity)
        return [*first, *later]


Planned = tuple[Job, dict[str, Any]]
"""A job, and its resolved config."""


def _fitted_in_memory(planned: Sequence[Planned], first: int) -> tuple[list[Planned], list[str]]:
    """The jobs without references on images that stay on disk; names of these.

    A sweep of estimators alone keeps its jobs, which say why they cannot be fitted.
    """
    if all(is_reference(config) for _, config in planned):
        return list(planned), []
    kept: list[Planned] = []
    names = set()
    for job, config in planned:
        if is_reference(config) and stay_on_disk(config["data"]):
            names.add(str(config["data"]["name"]))
        else:
            kept.append((replace(job, number=first + len(kept)), config))
    return kept, sorted(names)


def _without_seeds(config: Mapping[str, Any]) -> dict[str, Any]:
    return {**config, **{part: {**config[part], "seed": None} for part in ("data", "training")}}


Finished = tuple[int, JobReturn, str]
"""Of a job that has run in a worker: its number, what Hydra returns for it, and what it printed."""


def run_here(context: HydraContext, function: TaskFunction, job: Job) -> JobReturn:
    """Runs a job in this process."""
    return run_job(
        hydra_context=context,
        task_function=function,
        config=job.config,
        job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
    )


def run_in_worker(context: HydraContext, function: TaskFunction, state: Any, job: Job) -> Finished:
    """Runs a job in a worker; ``state`` is that of Hydra's singletons in the sweep's process."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        setup_globals()
        if HydraConfig.instance().cfg is None:  # not before each job: it looks for all plugins anew
            Singleton.set_state(state)
        returned = run_here(context, function, job)
    error = error_of(returned)
    if error is not None:
        returned.return_value = portable(error)
    returned.cfg = returned.hydra_cfg = None  # the sweep has them, and would get them pickled
    return job.number, returned, printed.getvalue()


def error_of(returned: JobReturn) -> Exception | None:
    """What a job failed with; None where it did not."""
    if returned.status != JobStatus.COMPLETED:
        try:
            with contextlib.redirect_stderr(io.StringIO()):  # Hydra announces what is looked at
                _ = returned.return_value
        except Exception as error:
            return error
    return None


def portable(error: Exception) -> Exception:
    """The error itself where it survives the way back, else one that says the same."""
    trace = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        if isinstance(error, UserError):
            return UserError(str(error))
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(f"\nIn the worker:\n{trace}")  # an exception loses its traceback on the way
    return error
