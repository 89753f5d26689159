"""MLflow's model registry: a run's model under a name, and an alias that says which is in use."""

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from mlflow.entities import LoggedModel, Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.models.model import MLMODEL_FILE_NAME

from src.errors import UserError
from src.runs.recorded import record
from src.saved_model.decisions import TUNED
from src.saved_model.facts import ServingFacts
from src.serving.find import SavedModel
from src.serving.refit import fit_and_save, is_estimator
from src.tracking.card_note import note_of
from src.tracking.fetch import download, finished_run, model_of
from src.tracking.logged_model import NAME, decision_param
from src.tracking.process import NOT_THERE
from src.tracking.store import Store

NAME_NOTE = """\
A model that classifies raw rows: preprocessing, probabilities and decision in one. \
Each version's description is its model card; the alias says which version is in use.
"""
DECISION = "decision"
COMPARISON, MOST_ANSWERS = "comparison.json", 4
"""What a comparison leaves on its sweep, and how many settings of it are told."""
COPIED_TAGS = ("loss.label", "model", "data", "seed", "identity", "data.fingerprint")


@dataclass(frozen=True)
class Promotion:
    """The outcome of a promotion.

    Attributes:
        version: of the name, as the registry counts.
        is_new: whether the run's model was not under that name before.
        before: the version that the alias stood for; None where for none.
        run: whose model it is.
        of_pictures: whether the model takes pictures.
    """

    version: str
    is_new: bool
    before: str | None
    run: Run
    of_pictures: bool


def promote(store: Store, run_id: str, name: str, alias: str, decision: str = TUNED) -> Promotion:
    """Brings the model of a finished run under a name, and points an alias at it.

    It decides by `decision` where a request does not say.

    The same run with the same decision again makes no second version.

    Raises:
        UserError: where the run is unknown, unfinished or without a model, where its model gives
            no numbers, or a name cannot be.
    """
    run = finished_run(store, run_id, _best_of_sweep(store, run_id))
    model = model_of(store, run)
    if model is None and is_estimator(run):
        model = fit_and_save(store, run)
    if model is None:
        raise UserError(
            f"run {run_id}: has no model (tracking.log_model was false); train it again with "
            "force=true tracking.log_model=true"
        )
    card = _answer(store, run) + _card(store, run_id)
    folder = download(store, model.artifact_location)
    facts = ServingFacts.load(folder)
    SavedModel(str(run.info.run_name), folder, facts).load()  # or an error
    try:
        before = _aliases(store, name).get(alias)
        found = [
            one
            for one in store.client.search_model_versions(f"name='{name}' and run_id='{run_id}'")
            if one.tags.get(DECISION, TUNED) == decision
        ]
        version = max(found, key=lambda one: int(one.version), default=None)
        version = version or store.client.create_model_version(
            name,
            _source(store, run, model, folder, decision),
            run_id,
            tags=_tags(run) | {DECISION: decision},
            description=card,
            model_id=model.model_id,
        )
        _point(store, name, alias, version, is_new=not found)
    except MlflowException as error:
        raise UserError(f"--name {name} --alias {alias}: {str(error).splitlines()[0]}") from error
    return Promotion(str(version.version), not found, before, run, facts.images is not None)


def _source(store: Store, run: Run, model: LoggedModel, folder: Path, decision: str) -> str:
    """Address of the model whose default is the decision: the run's own, or a copy beside it.

    The default stands in the model's signature, so that whatever loads the model, MLflow's server
    among them, decides as it was promoted.
    """
    if decision == TUNED:
        return str(model.artifact_location)
    variant = f"{NAME}_{decision}"
    with tempfile.TemporaryDirectory() as draft:
        copy = Path(draft) / variant
        shutil.copytree(folder, copy)
        described = Model.load(str(copy))
        described.signature.params = decision_param(decision)
        described.save(str(copy / MLMODEL_FILE_NAME))
        store.client.log_artifacts(run.info.run_id, str(copy), variant)
    return f"{run.info.artifact_uri}/{variant}"


def version_of(store: Store, name: str, alias: str) -> ModelVersion:
    """The version that an alias stands for.

    Raises:
        UserError: where there is none; names those there are.
    """
    try:
        return store.client.get_model_version_by_alias(name, alias)
    except MlflowException as error:
        found = ", ".join(registered(store)[:20])
        raise UserError(
            f"{name}@{alias}: is not in the registry of {store.uri}; "
            f"{f'there are {found}' if found else 'it has no model yet'}. "
            f"`python -m src.promote RUN_ID --name {name} --alias {alias}` puts a model there"
        ) from error


def registered(store: Store) -> list[str]:
    """`NAME@ALIAS` of each model in the registry, sorted."""
    models = store.client.search_registered_models()
    return sorted(f"{model.name}@{alias}" for model in models for alias in model.aliases)


def _aliases(store: Store, name: str) -> dict[str, str]:
    """The aliases of a name, which is made where there is none, and their versions."""
    try:
        named = store.client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != NOT_THERE:
            raise
        named = store.client.create_registered_model(name, description=NAME_NOTE)
    return {alias: str(version) for alias, version in named.aliases.items()}


def _point(store: Store, name: str, alias: str, version: ModelVersion, *, is_new: bool) -> None:
    """Points the alias; a name that cannot be one leaves no new version behind."""
    try:
        store.client.set_registered_model_alias(name, alias, version.version)
    except MlflowException:
        if is_new:
            store.client.delete_model_version(name, version.version)
            if not store.client.search_model_versions(f"name='{name}'"):
                store.client.delete_registered_model(name)
        raise


def _tags(run: Run) -> dict[str, str]:
    tags = {key: run.data.tags[key] for key in COPIED_TAGS if key in run.data.tags}
    scores = ("test_f1_macro", "test_tuned_f1_macro", "test_prior_f1_macro", "test_ece")
    return tags | {key: f"{run.data.metrics[key]:.4f}" for key in scores if key in run.data.metrics}


def _card(store: Store, run_id: str) -> str:
    try:
        file = download(store, f"runs:/{run_id}/{record.CARD}")
    except UserError as error:
        raise UserError(
            f"run {run_id}: has no {record.CARD}, so its model was saved before models took raw "
            "rows; train it again with force=true"
        ) from error
    return note_of(file.read_text(encoding="utf-8"))


def _answer(store: Store, run: Run) -> str:
    """What the comparison of the run's sweep says of its data; empty where none was made."""
    parent = run.data.tags.get("mlflow.parentRunId")
    try:
        found = download(store, f"runs:/{parent}/{COMPARISON}") if parent else None
        answers = json.loads(found.read_text(encoding="utf-8"))["answers"] if found else []
    except (UserError, KeyError, ValueError):
        return ""
    mine = [one for one in answers if one["place"].startswith(run.data.tags.get("data", ""))]
    said = [f"**{one['badge'].capitalize()}**: {one['headline']}." for one in mine[:MOST_ANSWERS]]
    return "".join(f"{line}\n\n" for line in said)


def _best_of_sweep(store: Store, run_id: str) -> str:
    """Advice for the id of a sweep: take the run that validated best."""
    try:
        runs = [one for one in store.children(run_id) if "best_val_f1_macro" in one.data.metrics]
    except MlflowException:
        runs = []
    if not runs:
        return "right is the id of one run, as the MLflow UI shows it"
    best = max(runs, key=lambda one: float(one.data.metrics["best_val_f1_macro"]))
    return f"its run with the best validation macro F1 is {best.info.run_id} ({best.info.run_name})"
