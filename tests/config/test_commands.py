"""Commands that train nothing: quick, quiet about internals, and with the right exit status."""

import pytest

CASES = {
    "help": ["--help"],
    "help of a config": ["--help", "loss=focal", "loss.gamma=1"],
    "Hydra's own": ["--help", "--config-name", "config", "loss=focal"],
    "job": ["--cfg", "job"],
    "info": ["--info", "config"],
    "choice": ["loss=focl"],
    "key": ["loss.gama=2"],
    "flag": ["--nonsense"],
    "flags": ["-m", "--cfg", "job"],
    "range": ["loss.gamma=-1"],
    "second job": ["-m", "loss=focal", "loss.gamma=0,-1"],
    "second choice": ["-m", "loss=focal,focl"],
    "no sweep": ["tuning=learning_rate", "loss=focal"],
    "one value": ["-m", "tuning=learning_rate", "training.learning_rate=0.01"],
    "second word": ["-m", "loss.gamma=0,x"],
    "workers": ["-m", "loss=ce,focal", "hydra/launcher=joblib", "hydra.launcher.n_jobs=0"],
    "in its folder": ["tracking.root=${hydra:runtime.output_dir}/store", "loss.gamma=-1"],
    "list": ["loss=focal", "loss.alpha=[1,2,3]", "tracking=none"],
    "file": ["data=table", "data.path=nowhere.csv", "tracking=none"],
}
HEAVY = ("in its folder", "list", "file")
"""Those of them that load MLflow come last."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """One for each command."""
    return {case: tmp_path_factory.mktemp("command") for case in CASES}


@pytest.fixture(scope="module")
def outcomes(train_several, folders, tmp_path_factory):
    commands = [(arguments, folders[case]) for case, arguments in CASES.items()]
    done = train_several(commands, tmp_path_factory.mktemp("commands"))
    return dict(zip(CASES, done, strict=True))


@pytest.mark.parametrize("case", ["help", "job", "info"])
def test_asking_is_no_mistake(outcomes, case):
    assert outcomes[case].status == 0
    assert outcomes[case].err == ""


@pytest.mark.parametrize("case", [case for case in CASES if case not in HEAVY])
def test_what_ends_before_a_job_begins_loads_nothing_heavy_and_writes_nothing(
    outcomes, folders, case
):
    assert outcomes[case].loaded == ()
    assert list(folders[case].iterdir()) == []


def test_the_help_says_what_it_is_and_examples_first_then_choices_and_keys_on_one_screen(outcomes):
    text = outcomes["help"].out
    assert len(text.splitlines()) < 40
    assert max(map(len, text.splitlines())) <= 110
    order = (
        "Does focal loss help",
        "Examples:",
        "-m loss=ce,focal loss.gamma=0,1,2",
        "loss: asymm",
    )
    places = [text.index(words) for words in (*order, "training: epochs=20")]
    assert places == sorted(places)
    assert "loss: gamma=1.0 alpha=0.25" in outcomes["help of a config"].out
    assert "Examples:" in outcomes["Hydra's own"].out


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("choice", ["loss/focl", "focal"]),
        ("key", ["loss.gama", "gamma"]),
        ("flag", ["--nonsense"]),
        ("flags", ["Error: Only one of --run, --multirun, --cfg"]),
        ("range", ["Error: loss.gamma=-1.0: must be greater than or equal to 0\n"]),
        ("in its folder", ["Error: loss.gamma=-1.0: must be greater than or equal to 0\n"]),
        ("list", ["loss.alpha=[1, 2, 3]", "3 entries", "2 for data"]),
        ("file", ["nowhere.csv"]),
        ("second job", ["job 1 (loss=focal loss.gamma=-1)", "loss.gamma=-1.0"]),
        ("second choice", ["loss/focl", "focal"]),
        ("no sweep", ["python train.py -m tuning=learning_rate loss=focal\n"]),
        ("one value", ["Error: training.learning_rate=0.01: one value", "tuning=none"]),
        ("workers", ["Error: hydra.launcher.n_jobs=0: must be a number of workers, 1 to 1024"]),
        ("second word", ["Error: loss.gamma: Value 'x' of type 'str' could not be converted"]),
    ],
)
def test_a_mistake_ends_with_status_2_and_a_message_on_stderr(outcomes, case, words):
    outcome = outcomes[case]
    assert outcome.status == 2
    assert "Traceback" not in outcome.err
    assert "HYDRA_FULL_ERROR" not in outcome.err
    for word in words:
        assert word in outcome.err
    if case not in ("choice", "key", "flag"):
        assert outcome.err.startswith("Error: ")
        assert outcome.err.count("Error:") == 1
        assert "Warning" not in outcome.err


def test_none_of_them_loads_tensorflow_or_starts_a_job(outcomes):
    last = outcomes[list(CASES)[-1]]
    assert not {"tensorflow", "keras"} & set(last.loaded)
    assert "[1/" not in outcomes["second job"].out
    assert outcomes["workers"].out == ""
