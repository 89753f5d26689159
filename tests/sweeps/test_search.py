"""The Optuna sweeper: what it proposes, what it is told, and what it leaves behind."""

from collections import defaultdict

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext

from src.errors import UserError
from src.sweeps.search import search
from tests.reliability.recorded import runs_of

CONF = """
x: 0
y: a
z: mlp
n: 0
fixed: 0
training: {x: 0, threads: 1}
tuning: {keys: [], chosen_on: []}
tracking: {enabled: false}
"""


class Bowl(Launcher):
    """A launcher whose jobs score best at x = 1, and fail above x = 3."""

    def __init__(self):
        self.jobs = []
        self.batches = []

    def setup(self, **parts):
        """Needs nothing."""

    def launch(self, jobs, initial_job_idx):
        assert initial_job_idx == len(self.jobs)
        self.jobs += jobs
        self.batches.append(len(jobs))
        return [self._run(dict(word.split("=", 1) for word in words)) for words in jobs]

    def _run(self, words):
        job, x = JobReturn(), float(words.get("x", words.get("training.x", 0)))
        job.status = JobStatus.FAILED if x > 3 else JobStatus.COMPLETED
        job.return_value = UserError(f"x={x}: too large") if x > 3 else -((x - 1) ** 2)
        return job


@pytest.fixture
def searched(tmp_path):
    """Runs a search; the launcher, and the best trial."""
    (tmp_path / "config.yaml").write_text(CONF)
    with initialize_config_dir(version_base="1.3", config_dir=str(tmp_path)):
        words = ["hydra.job.config_name=config", f"hydra.sweep.dir={tmp_path / 'sweep'}"]
        config = compose("config", words, return_hydra_config=True)
        context = HydraContext(GlobalHydra.instance().config_loader(), callbacks=None)

        parser = OverridesParser.create(config_loader=context.config_loader)

        def run(*typed, seed=0, sampler="TPESampler", keys=(), **options):
            launcher = Bowl()
            config.tuning["keys"] = list(keys)
            best = search(
                launcher,
                context,
                config,
                parser.parse_overrides([*typed]),
                sampler={"_target_": f"optuna.samplers.{sampler}", "seed": seed},
                **{"n_trials": 30, "n_jobs": 1, "direction": "maximize"} | options,
            )
            return launcher, best

        yield run


def test_it_finds_where_the_score_is_best(searched):
    _, best = searched("x=interval(-3,3)")
    assert best.params["x"] == pytest.approx(1, abs=0.3)
    assert best.value == pytest.approx(-((best.params["x"] - 1) ** 2))
    assert searched("x=interval(-3,3)", direction="minimize")[1].params["x"] < -2


def test_each_combination_of_the_other_values_is_tuned_by_as_many_trials(searched, capsys):
    words = ("y=a,b", "training.x=interval(-3,3)", "z=mlp,cosine")
    launcher, best = searched(*words, keys=["training.x"], n_trials=8, n_jobs=2)
    assert launcher.batches == [2 * 4] * 4, "the studies propose side by side"
    tried = defaultdict(list)
    for y, z, x in launcher.jobs:
        tried[y, z].append(x)
    assert {cell: len(trials) for cell, trials in tried.items()} == {
        (f"y={y}", f"z={z}"): 8 for y in "ab" for z in ("mlp", "cosine")
    }
    assert len({tuple(trials) for trials in tried.values()}) == 1, "alike scores, alike trials"
    assert best is None
    assert "Best of" not in capsys.readouterr().out


@pytest.mark.parametrize("n_jobs", [1, 4])
def test_the_same_seed_proposes_the_same_jobs(searched, n_jobs):
    jobs = [searched("x=interval(-3,3)", "y=a,b", seed=s, n_jobs=n_jobs)[0].jobs for s in (5, 5, 6)]
    assert jobs[0] == jobs[1] != jobs[2]


def test_every_kind_of_sweep_is_proposed_within_its_bounds(searched):
    words = (
        "x=range(0,3)",
        "y=tag(log,interval(1e-4,1e-1))",
        "z=choice(mlp,cosine)",
        "n=int(interval(2,9))",
        "fixed=7",
    )
    launcher, _ = searched(*words, n_trials=40)
    for job in launcher.jobs:
        assert job[0] == "fixed=7"
        values = dict(word.split("=") for word in job)
        assert values["x"] in {"0", "1", "2"}
        assert 1e-4 <= float(values["y"]) <= 1e-1
        assert values["z"] in {"mlp", "cosine"}
        assert values["n"] in {str(n) for n in range(2, 10)}
    small = sum(float(dict(word.split("=") for word in job)["y"]) < 1e-2 for job in launcher.jobs)
    assert small > 10, "a logarithmic scale looks at each power of ten alike"


def test_the_last_word_for_a_key_wins(searched):
    launcher, _ = searched("x=interval(0,1)", "x=2", "y=a,b", n_trials=2)
    assert all(job[0] == "x=2" for job in launcher.jobs)


def test_trials_are_launched_as_many_at_once_as_asked_for(searched):
    launcher, _ = searched("x=interval(0,1)", n_trials=7, n_jobs=3)
    assert launcher.batches == [3, 3, 1]


def test_trials_that_fail_are_told_and_raised_in_the_end(searched, capsys):
    with pytest.raises(UserError, match="too large"):
        searched("x=interval(0,6)")
    launcher, _ = searched("x=interval(-3,3)", n_trials=3)
    assert len(launcher.jobs) == 3
    assert "Best of 3 trials" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "options", "said"),
    [
        (("x=1",), {}, "nothing to search"),
        (("x=glob(*)",), {}, "cannot be searched"),
        (("x=interval(2,1)",), {}, "x=interval"),
        (("x=tag(log,interval(0,1))",), {}, "x=tag"),
        (("y=a,b",), {"keys": ["training.x"]}, r"training\.x is not varied"),
        (("training.x=1", "y=a,b"), {"keys": ["training.x"]}, r"training\.x=1: one value"),
        (("x=interval(0,1)", "seed=auto"), {}, "a search needs its seeds given"),
        (("x=interval(0,1)",), {"n_trials": 0}, r"hydra\.sweeper\.n_trials=0"),
        (("x=interval(0,1)",), {"n_jobs": 1.5}, r"hydra\.sweeper\.n_jobs=1\.5"),
        (("x=interval(0,1)",), {"direction": "up"}, "maximize, minimize"),
        (("x=interval(0,1)",), {"sampler": "Best"}, r"sampler: .*optuna\.samplers\.Best"),
    ],
)
def test_a_mistake_is_one_clear_error(searched, words, options, said):
    with pytest.raises(UserError, match=said):
        searched(*words, **options)


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
    trials, (parent,) = runs_of(tmp_path / "mlruns")
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
