"""A run's model gets a name and an alias in MLflow's registry; once, whatever is typed again."""

import json
from pathlib import Path

import mlflow
import pytest
from mlflow.exceptions import MlflowException

from src.errors import UserError
from src.promote import main
from src.serving.find import find_model


@pytest.fixture
def promote(in_use, capsys):
    """Runs the command on the store; returns what it printed."""

    def run(*words):
        main([*words, "--root", str(in_use.root)])
        return capsys.readouterr().out

    return run


def versions(in_use, name):
    return in_use.client.search_model_versions(f"name='{name}'")


def test_a_run_is_promoted_once_and_the_alias_moves(in_use, promote):
    said = promote(in_use.run_id, "--name", "ward")
    assert "registered as version 1 of ward" in said
    assert "ward@champion now stands for version 1" in said
    assert "python -m src.predict --model ward@champion rows.csv" in said
    assert "make serve NAME=ward" in said
    said = promote(in_use.run_id, "--name", "ward")
    assert "was registered before as version 1" in said
    assert "stood for it already" in said
    promote(in_use.run_id, "--name", "ward", "--alias", "challenger")
    assert len(versions(in_use, "ward")) == 1
    aliases = in_use.client.get_registered_model("ward").aliases
    assert aliases == {"champion": 1, "challenger": 1}


def test_a_version_begins_with_what_the_comparison_of_its_sweep_says(in_use, promote, tmp_path):
    client, run = in_use.client, in_use.client.get_run(in_use.run_id)
    sweep = client.create_run(run.info.experiment_id).info.run_id
    said = {"badge": "undecided", "headline": "focal γ2 against ce: +0.7 pp [-0.9, 2.3] by argmax"}
    places = {f"{run.data.tags['data']}, mlp": said, "another, mlp": {"badge": "gain"} | said}
    file = tmp_path / "comparison.json"
    file.write_text(json.dumps({"answers": [{"place": at} | one for at, one in places.items()]}))
    client.log_artifact(sweep, str(file))
    client.set_tag(in_use.run_id, "mlflow.parentRunId", sweep)
    try:
        promote(in_use.run_id, "--name", "answered")
    finally:
        client.delete_tag(in_use.run_id, "mlflow.parentRunId")
    (version,) = versions(in_use, "answered")
    card = (in_use.output / "model_card.md").read_text().removeprefix("# Model card\n\n")
    assert version.description == f"**Undecided**: {said['headline']}.\n\n{card}"


def test_a_version_carries_card_tags_and_the_model_itself(in_use, promote):
    promote(in_use.run_id, "--name", "described")
    (version,) = versions(in_use, "described")
    assert version.run_id == in_use.run_id
    card = (in_use.output / "model_card.md").read_text()
    assert "# Model card\n\n" + version.description == card
    assert version.tags["loss.label"] == "ce"
    run = in_use.client.get_run(in_use.run_id)
    assert float(version.tags["test_f1_macro"]) == pytest.approx(
        run.data.metrics["test_f1_macro"], abs=1e-4
    )
    assert "model card" in in_use.client.get_registered_model("described").description
    mlflow.set_tracking_uri(f"sqlite:///{in_use.root}/mlflow.db")
    try:
        info = mlflow.models.get_model_info("models:/described@champion")
    finally:
        mlflow.set_tracking_uri(None)
    assert info.run_id == in_use.run_id
    assert info.signature.inputs.input_names()[0] == "age"


def test_a_run_of_which_there_is_no_model_is_refused(in_use, promote):
    client = in_use.client
    experiment = client.get_experiment_by_name("imbalance-lab").experiment_id
    training = {"identity": "x"}
    bare = client.create_run(experiment, tags=training).info.run_id
    with pytest.raises(UserError, match=f"run {bare}: is RUNNING; only a finished run"):
        promote(bare, "--name", "ward")
    client.set_terminated(bare, "FINISHED")
    with pytest.raises(UserError, match=r"has no model \(tracking\.log_model was false\)"):
        promote(bare, "--name", "ward")
    with pytest.raises(UserError, match=r"run 0a1b: not in sqlite.*run id as the MLflow UI"):
        promote("0a1b", "--name", "ward")


def test_a_model_from_before_cards_is_refused_and_leaves_no_name(in_use, promote, tmp_path):
    """As an older version logged it: the same run without its card."""
    client = in_use.client
    card = tmp_path / "model_card.md"
    run = client.get_run(in_use.run_id)
    stored = Path(run.info.artifact_uri.removeprefix("file://")) / "model_card.md"
    stored.rename(card)
    try:
        with pytest.raises(
            UserError, match=r"has no model_card\.md.*train it again with force=true"
        ):
            promote(in_use.run_id, "--name", "fresh")
    finally:
        card.rename(stored)
    with pytest.raises(MlflowException):
        client.get_registered_model("fresh")


def test_the_id_of_a_sweep_leads_to_its_best_run(in_use, promote):
    client = in_use.client
    experiment = client.get_experiment_by_name("imbalance-lab").experiment_id
    sweep = client.create_run(experiment).info.run_id
    with pytest.raises(UserError, match="is no training run; right is the id of one run"):
        promote(sweep, "--name", "ward")
    client.set_tag(in_use.run_id, f"sweep.{sweep}", "trained")
    with pytest.raises(UserError, match=f"best validation macro F1 is {in_use.run_id}"):
        promote(sweep, "--name", "ward")


@pytest.mark.parametrize("words", [("a/b:c", "champion"), ("fresh", "latest"), ("fresh", "v1")])
def test_a_name_that_cannot_be_leaves_nothing_behind(in_use, promote, words):
    name, alias = words
    with pytest.raises(UserError, match=f"--name {name} --alias {alias}: "):
        promote(in_use.run_id, "--name", name, "--alias", alias)
    with pytest.raises(MlflowException):
        in_use.client.get_registered_model("fresh")


def test_a_version_decides_as_it_was_promoted_wherever_it_is_loaded(in_use, promote, tmp_path):
    said = promote(in_use.run_id, "--name", "plain", "--decision", "argmax")
    assert "version 1 of plain" in said
    assert "it decides by argmax unless asked otherwise" in said
    promote(in_use.run_id, "--name", "plain", "--decision", "argmax")
    promote(in_use.run_id, "--name", "plain", "--alias", "tuned")
    assert {one.tags["decision"]: one.version for one in versions(in_use, "plain")} == {
        "argmax": 1,
        "tuned": 2,
    }
    for alias, decision in (("champion", "argmax"), ("tuned", "tuned")):
        found = find_model(f"plain@{alias}", str(in_use.root), None)
        assert found.decision == decision
        signature = mlflow.models.get_model_info(str(found.path)).signature
        assert signature.params.to_dict()[0]["default"] == decision
        assert signature.inputs.input_names()[0] == "age"
