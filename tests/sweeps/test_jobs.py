"""The jobs of a sweep: split, composed, checked, and run in a worker."""

import pickle
import re

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn, JobStatus
from hydra.errors import ConfigCompositionException
from joblib import cpu_count
from omegaconf import OmegaConf

from src.config.check import check
from src.data.errors import CellError
from src.errors import UserError
from src.sweeps.composer import Composer, split
from src.sweeps.cores import workers_sharing
from src.sweeps.jobs import error_of, portable


@pytest.fixture
def plan_of(sweeper):
    """Plans jobs from their overrides."""
    return sweeper().plan


# --- a grid -------------------------------------------------------------------------------------
def words_of(*typed):
    return [" ".join(job) for job in split(OverridesParser.create().parse_overrides(list(typed)))]


def test_a_grid_has_every_combination_the_last_key_fastest():
    assert words_of("loss=ce,focal", "seed=range(0,2)", "x=7") == [
        "loss=ce seed=0 x=7",
        "loss=ce seed=1 x=7",
        "loss=focal seed=0 x=7",
        "loss=focal seed=1 x=7",
    ]


def test_the_last_word_for_a_key_counts():
    assert words_of("seed=0,1,2", "+a=1", "seed=5") == ["seed=5 +a=1"]


@pytest.mark.parametrize("word", ["x=interval(0,1)", "x=range(0,3,0)"])
def test_what_lists_no_values_is_no_grid(word):
    with pytest.raises(UserError, match="a grid needs values"):
        words_of(word)


@pytest.mark.parametrize(
    "words", [["seed=range(0,10000000000)"], ["a=range(0,400)", "b=range(0,400)"]]
)
def test_a_grid_that_nobody_can_wait_for_is_refused_at_once(words):
    with pytest.raises(UserError, match=r"more than 100000 jobs, with \w=|with seed=0, seed=1, "):
        words_of(*words)


def test_a_folder_may_be_named_by_what_a_job_overrides(sweeper):
    subdir = "hydra.sweep.subdir=${hydra.job.override_dirname}"
    first, second = sweeper(subdir, "model=cnn").plan("loss=focal", "seed=1").jobs
    names = [job.config.hydra.sweep.subdir for job in (first, second)]
    assert names == ["loss=focal", "seed=1"]


# --- composed and checked -----------------------------------------------------------------------
@pytest.mark.parametrize(
    "words",
    [
        ("seed=3", "loss=focal", "training.learning_rate=0.01", "loss.alpha=[0.2,0.8]"),
        ("+experiment=digits", "data=table", "data.path='a=b, c.csv'", "data.label=x"),
        ("model=cnn", "~tuning", "+model.more={a: 1}", "++seed=4", "model.filters=[8]"),
        ("training.optimizer={_target_: keras.optimizers.SGD}", "hydra.job.name=mine", "seed=1"),
    ],
    ids=lambda words: words[0],
)
def test_a_job_is_composed_as_hydra_composes_it(sweeper, words):
    made = sweeper("hydra.job.config.override_dirname.exclude_keys=[seed]")
    composer = Composer(made.context.config_loader, made.master)
    composer.job(0, ["seed=9", *words])
    job = pickle.loads(pickle.dumps(composer.job(1, words)))  # as a worker gets it
    hydras = made.context.config_loader.load_sweep_config(made.master, list(words))
    ours, theirs = (OmegaConf.to_container(one) for one in (job.config, hydras))
    assert (ours["hydra"]["job"].pop("num"), ours["hydra"]["job"].pop("id")) == (1, "1")
    for key in ("num", "id"):
        theirs["hydra"]["job"].pop(key)
    assert ours == theirs
    assert OmegaConf.is_struct(job.config)


def test_a_key_that_there_is_not_is_told_in_hydras_words(sweeper):
    made = sweeper()
    composer = Composer(made.context.config_loader, made.master)
    with pytest.raises(ConfigCompositionException, match=r"override .loss\.gama."):
        composer.checked(composer.job(0, ["loss=focal", "loss.gama=1"]))


@pytest.mark.parametrize(
    "jobs",
    [
        ("seed=0 loss=focal loss.gamma=1", "seed=1 loss=focal loss.gamma=2", "seed=1 loss=focal"),
        ("seed=4 training.epochs=2", "seed=4 training.epochs=3 data.seed=7", "seed=5 data.seed=7"),
        ("loss.gamma=2 training.learning_rate='${loss.gamma}'", "training.learning_rate=0.1"),
        ("+model.more=${seed} seed=3", "seed=4 +model.more=${seed}", "seed=4 ~tuning"),
        ("model.hidden='${oc.decode:[8]}' seed=1", "model.hidden='${oc.decode:[8]}' seed=2"),
    ],
    ids=lambda jobs: jobs[0],
)
def test_sections_that_jobs_share_are_those_of_each_job_alone(sweeper, jobs):
    made = sweeper("+training.more=${hydra:job.num}")
    composer = Composer(made.context.config_loader, made.master)
    for number, words in enumerate(map(str.split, (*jobs, *jobs))):
        job = composer.job(number, words)
        try:
            expected = check(job.config)
        except UserError as error:
            with pytest.raises(UserError, match=re.escape(str(error))):
                composer.checked(job)
        else:
            assert composer.checked(job) == expected


def test_jobs_that_repeat_an_experiment_are_known_and_come_last(plan_of):
    plan = plan_of("loss=ce", "loss=ce loss.gamma=1", "loss=focal")  # ce does not use gamma
    assert [job.number for job in plan.repeats_last()] == [0, 2, 1]
    assert plan.summary() == "Sweep of 3 jobs, 2 different experiments."
    assert plan.identity == plan_of("loss=focal", "loss=ce").identity


def test_a_job_that_is_wrong_is_named(plan_of):
    with pytest.raises(UserError, match=r"job 1 \(seed=1 training.epochs=-1\): training.epochs=-1"):
        plan_of("seed=0", "seed=1 training.epochs=-1")


# --- how many share the machine -----------------------------------------------------------------
AUTOMATIC = {"n_jobs": -1, "fewest_jobs": 12}


@pytest.mark.parametrize(
    ("launcher", "jobs", "threads", "shared"),
    [
        ({}, 99, "auto", 1),  # serial
        ({"n_jobs": -1}, 1, "auto", 1),
        ({"n_jobs": -1}, 999, "auto", cpu_count()),
        ({"n_jobs": -1}, 999, cpu_count(), 1),
        ({"n_jobs": 3}, 999, 999, 3),
        (AUTOMATIC, 11, "auto", 1),
        (AUTOMATIC, 12, "auto", min(12, cpu_count())),
        (AUTOMATIC, 12, cpu_count(), 1),
        (AUTOMATIC | {"n_jobs": 2}, 12, "auto", 2),
        ({"n_jobs": -1, "cluster": "slurm"}, 1, "auto", cpu_count()),
    ],
)
def test_the_processes_that_share_the_machine_follow_from_what_was_typed(
    launcher, jobs, threads, shared
):
    assert workers_sharing(OmegaConf.create(launcher), jobs, threads) == shared


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("n_jobs", value) for value in (0, -2, 1.5, True, 10**9, "two")),
        *(("fewest_jobs", value) for value in (0, "few")),
    ],
)
def test_a_number_of_workers_or_jobs_that_is_none_is_refused(key, value):
    with pytest.raises(UserError, match=rf"hydra\.launcher\.{key}={value}: must be"):
        workers_sharing(OmegaConf.create(AUTOMATIC | {key: value}), 99)


# --- errors on their way back -------------------------------------------------------------------
class UnpicklableError(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (UserError("x=1: too large"), UserError, "x=1: too large"),
        (CellError(0, "a", "no number"), UserError, "row 1, column 'a': no number"),
        (KeyError("x"), KeyError, "'x'"),
        (UnpicklableError(1, 2), RuntimeError, "UnpicklableError: 1 and 2"),
    ],
)
def test_an_error_comes_back_from_a_worker_with_where_it_came_from(error, kind, said):
    try:
        raise error
    except Exception as raised:
        back = pickle.loads(pickle.dumps(portable(raised)))
    assert type(back) is kind
    assert str(back) == said
    if not isinstance(back, UserError):
        assert "test_jobs.py" in "".join(back.__notes__)


def test_an_error_is_looked_at_without_hydras_announcement(capsys):
    failed, done = JobReturn(status=JobStatus.FAILED), JobReturn(status=JobStatus.COMPLETED)
    failed.return_value = UserError("no")
    assert str(error_of(failed)) == "no"
    assert error_of(done) is None
    assert capsys.readouterr().err == ""


# --- threads ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("typed", "threads"),
    [
        (("loss=ce,focal", "training.learning_rate=0.1,0.01", "seed=range(0,3)"), {"auto"}),
        (("loss=ce,focal", "model=cnn,mlp"), {1}),
        (("training.batch_size=64,4096",), {1}),
        (("training.batch_size=64,4096", "training.threads=2"), {2}),
        (("model=cnn,mlp", "training.threads=2,3"), {2, 3}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_jobs_whose_batches_may_differ_in_size_have_one_number_of_threads(
    plan_typed, typed, threads
):
    assert {job.config.training.threads for job in plan_typed(*typed).jobs} == threads
