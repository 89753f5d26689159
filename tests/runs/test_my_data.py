"""From a file to a recommendation, as typed: tables with everything in them, and their mistakes."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import yaml

pytestmark = pytest.mark.slow

FEW = (
    "hydra/launcher=serial",
    "tuning=none",
    "loss=ce,focal",
    "seed=0,1",
    "tracking.log_model=false",
    "tracking.plots=false",
)
WORDS = ("-m", "+experiment=my_data", "data.label=target", *FEW, "training.epochs=2")
REFERENCES = {
    "majority",
    "balanced random forest",
    "easy ensemble",
    *(
        f"{name}{weight}"
        for name in ("logistic regression", "random forest", "hist gradient boosting")
        for weight in ("", ", balanced")
    ),
}
BY_HAND = ("model.hidden=[32,32]", "model.dropout=0.0", "training.batch_size=16")


def mixed(rows=300):
    """Numbers, text, truth values, gaps, constants and names that need quoting."""
    rng = np.random.default_rng(0)
    y = (np.arange(rows) % 10 == 0).astype(int)
    table = pd.DataFrame(
        {
            "größe (cm)": rng.normal(size=rows) + 2 * y,
            "a/b=c": rng.normal(size=rows),
            "constant": 7,
            "flag": rng.random(rows) < 0.5,
            "colour": rng.choice(["red", "blü", None], rows),
            "target": np.where(y, "krank, sehr", "<b>gesund</b>"),
        }
    )
    table.loc[::7, "a/b=c"] = np.nan
    return table


@pytest.fixture(scope="module")
def commands(train_forked, empty_store, tmp_path_factory):
    """Four commands in one child, and the folder of each."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("good", "dates", "rare")}
    tables = {name: mixed() for name in folders}
    tables["dates"]["when"] = pd.date_range("2024-01-01", periods=300).astype(str)
    tables["rare"].loc[:1, "target"] = "twice"
    for name, folder in folders.items():
        tables[name].to_csv(folder / "t.csv", index=False)
        empty_store(folder / "mlruns")
    typed = {name: ([*WORDS, "data.path=t.csv"], folder) for name, folder in folders.items()}
    typed["again"] = ([*typed["good"][0], *BY_HAND], folders["good"])
    outcomes = train_forked(list(typed.values()), tmp_path_factory.mktemp("child"))
    return {name: (typed[name][1], outcome) for name, outcome in zip(typed, outcomes, strict=True)}


def test_one_command_ends_in_a_recommendation_and_a_report(commands):
    folder, outcome = commands["good"]
    assert outcome.status == 0, outcome.err
    said = outcome.out.partition("\nRecommendation")[2]
    assert "macro F1" in said
    assert "Sweep of 22 jobs." in outcome.out, "two losses and nine references with two seeds"
    (place,) = re.findall(r"^Report: (.+)$", outcome.out, re.MULTILINE)
    report = folder / place
    assert "<strong>Recommendation" in report.read_text()
    compared = json.loads(report.with_name("comparison.json").read_text())
    (found,), (scale,) = compared["recommendations"], compared["for_scale"]
    assert {one["reference"] for one in scale["references"]} == REFERENCES
    assert f"python -m src.promote {found['run_id']} --name NAME --alias champion" in said
    assert (folder / "mlruns" / "artifacts" / found["run_id"]).is_dir()


def test_the_records_hold_the_sizes_as_numbers(commands):
    folder, _ = commands["good"]
    configs = [
        yaml.safe_load(file.read_text()) for file in folder.glob("multirun/*/*/*/config.yaml")
    ]
    configs = [config for config in configs if config["estimator"]["name"] == "none"]
    assert len(configs) == 4
    for config in configs:
        assert config["model"]["hidden"] == [32, 32]
        assert config["model"]["dropout"] == 0.0
        assert config["training"]["batch_size"] == 16


def test_the_same_sizes_typed_by_hand_are_the_same_runs(commands):
    _, outcome = commands["again"]
    assert outcome.status == 0, outcome.err
    assert outcome.out.count("✓ reused") == 22
    assert "\nRecommendation" in outcome.out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dates", ("'when'", "data.drop=[when]")),
        ("rare", ("'twice' (2)", "data.drop_rare_classes")),
    ],
)
def test_data_that_cannot_be_used_is_one_line_with_a_hint(commands, name, words):
    _, outcome = commands[name]
    assert outcome.status == 2
    (line,) = outcome.err.splitlines()
    assert line.startswith("Error: t.csv: ")
    for word in words:
        assert word in line
    assert outcome.out.count("[1/22]") == 1
    assert "[2/22" not in outcome.out, "no other job would fare better"
