"""The Optuna sweeper: what it proposes, what it is told, and what it leaves behind."""

from types import SimpleNamespace

import optuna
import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.utils import JobReturn, JobStatus
from mlflow.tracking import MlflowClient
from omegaconf import OmegaConf

from src.errors import UserError
from src.sweeps.search import Search

LOADER = ConfigLoaderImpl(create_config_search_path(None))


class Bowl:
    """A launcher whose jobs score best at x = 1, and fail above x = 3."""

    def __init__(self):
        self.jobs = []
        self.batches = []

    def launch(self, jobs, initial_job_idx):
        assert initial_job_idx == len(self.jobs)
        self.jobs += jobs
        self.batches.append(len(jobs))
        return [self._run(dict(word.split("=", 1) for word in words)) for words in jobs]

    def _run(self, words):
        job, x = JobReturn(), float(words.get("x", 0))
        job.status = JobStatus.FAILED if x > 3 else JobStatus.COMPLETED
        job.return_value = UserError(f"x={x}: too large") if x > 3 else -((x - 1) ** 2)
        return job


@pytest.fixture
def search(tmp_path):
    """Runs a search; the launcher, and the best trial."""
    config = OmegaConf.create({"hydra": {"sweep": {"dir": str(tmp_path)}}})
    context = SimpleNamespace(config_loader=LOADER)

    def run(*words, seed=0, n_trials=30, n_jobs=1, direction="maximize", params=None):
        launcher = Bowl()
        one = Search(
            launcher,
            context,
            config,
            params=params,
            n_trials=n_trials,
            n_jobs=n_jobs,
            direction=direction,
            sampler=optuna.samplers.TPESampler(seed=seed),
        )
        return launcher, one.run(words)

    return run


def test_it_finds_where_the_score_is_best(search):
    _, best = search("x=interval(-3,3)")
    assert best.params["x"] == pytest.approx(1, abs=0.3)
    assert best.value == pytest.approx(-((best.params["x"] - 1) ** 2))
    assert search("x=interval(-3,3)", direction="minimize")[1].params["x"] < -2


@pytest.mark.parametrize("n_jobs", [1, 4])
def test_the_same_seed_proposes_the_same_jobs(search, n_jobs):
    jobs = [search("x=interval(-3,3)", "y=a,b", seed=s, n_jobs=n_jobs)[0].jobs for s in (5, 5, 6)]
    assert jobs[0] == jobs[1] != jobs[2]


def test_every_kind_of_sweep_is_proposed_within_its_bounds(search):
    words = (
        "x=range(0,3)",
        "y=tag(log,interval(1e-4,1e-1))",
        "z=choice(mlp,cosine)",
        "n=int(interval(2,9))",
        "fixed=7",
    )
    launcher, _ = search(*words, n_trials=40)
    for job in launcher.jobs:
        assert job[0] == "fixed=7"
        values = dict(word.split("=") for word in job)
        assert values["x"] in {"0", "1", "2"}
        assert 1e-4 <= float(values["y"]) <= 1e-1
        assert values["z"] in {"mlp", "cosine"}
        assert values["n"] in {str(n) for n in range(2, 10)}
    small = sum(float(dict(word.split("=") for word in job)["y"]) < 1e-2 for job in launcher.jobs)
    assert small > 10, "a logarithmic scale looks at each power of ten alike"


def test_the_command_line_wins_over_the_config(search):
    launcher, _ = search("x=2", "y=a,b", params={"x": "interval(0,1)"}, n_trials=2)
    assert all(job[0] == "x=2" for job in launcher.jobs)


def test_trials_are_launched_as_many_at_once_as_asked_for(search):
    launcher, _ = search("x=interval(0,1)", n_trials=7, n_jobs=3)
    assert launcher.batches == [3, 3, 1]


def test_trials_that_fail_are_told_and_raised_in_the_end(search):
    with pytest.raises(UserError, match="too large"):
        search("x=interval(0,6)")
    launcher, best = search("x=interval(-3,3)", n_trials=3)
    assert best.trials == len(launcher.jobs) == 3


@pytest.mark.parametrize(
    ("words", "options", "said"),
    [
        (("x=1",), {}, "nothing to search"),
        (("x=glob(*)",), {}, "cannot be searched"),
        (("x=interval(2,1)",), {}, "x=interval"),
        (("x=tag(log,interval(0,1))",), {}, "x=tag"),
        (("x=interval(0,1)",), {"n_trials": 0}, r"hydra\.sweeper\.n_trials=0"),
        (("x=interval(0,1)",), {"n_jobs": 1.5}, r"hydra\.sweeper\.n_jobs=1\.5"),
        (("x=interval(0,1)",), {"direction": "up"}, "maximize, minimize"),
    ],
)
def test_a_mistake_is_one_clear_error(search, words, options, said):
    with pytest.raises(UserError, match=said):
        search(*words, **options)


def test_trials_are_runs_of_one_sweep_judged_by_validation(train, tiny, tmp_path):
    words = (
        "hydra/sweeper=optuna",
        "hydra.sweeper.n_trials=3",
        "loss=focal",
        "loss.gamma=interval(0,5)",
        "training.learning_rate=tag(log,interval(1e-4,1e-1))",
        "tracking.log_model=false",
        "tracking.plots=false",
        *[word for word in tiny if "learning_rate" not in word],
    )
    outcome = train(("-m", *words), tmp_path)
    assert outcome.status == 0, outcome.err
    client = MlflowClient(f"sqlite:///{tmp_path}/mlruns/mlflow.db")
    (experiment,) = client.search_experiments(filter_string="name = 'imbalance-lab'")
    runs = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"])
    (parent,) = [run for run in runs if "sweep.command" in run.data.tags]
    trials = [run for run in runs if run is not parent]
    assert [run.info.status for run in [parent, *trials]] == ["FINISHED"] * 4
    assert {run.data.tags["mlflow.parentRunId"] for run in trials} == {parent.info.run_id}
    scores = [run.data.metrics["best_val_f1_macro"] for run in trials]
    best = trials[scores.index(max(scores))]
    assert parent.data.metrics["best_value"] == max(scores)
    assert parent.data.tags["best.job"] == str(scores.index(max(scores)))
    assert parent.data.params["best.loss.gamma"] == best.data.params["loss.fn.gamma"]
    assert f"loss.gamma={best.data.params['loss.fn.gamma']}" in outcome.out
    assert f"Best of 3 trials: job {scores.index(max(scores))}" in outcome.out
    assert "[3/3" in outcome.out
