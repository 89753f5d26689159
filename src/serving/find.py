"""Finds a saved model by what a person calls it, and reads what it needs; loads no TensorFlow."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from src.errors import UserError
from src.saved_model.decisions import TUNED
from src.saved_model.estimator_file import estimator_file
from src.saved_model.facts import CODE, ServingFacts
from src.saved_model.facts import FILE as FACTS

if TYPE_CHECKING:
    from src.saved_model.predictor import Predictor

RUN_ID = re.compile(r"[0-9a-f]{32}")
ALIAS = re.compile(r"(?P<name>[^@]+)@(?P<alias>[^@]+)")


@dataclass(frozen=True)
class SavedModel:
    """A model on this disk.

    Attributes:
        title: what to call it.
        path: its folder, or a bare `.keras` file.
        facts: what it needs beside its weights; None for a bare file, whose network knows the rest.
    """

    title: str
    path: Path
    facts: ServingFacts | None

    @property
    def decision(self) -> str:
        """The decision that it takes unless asked otherwise, as its signature says."""
        file = self.path / "MLmodel"
        if not file.is_file():
            return TUNED
        params = yaml.safe_load(file.read_text(encoding="utf-8"))["signature"]["params"]
        return str(json.loads(params)[0]["default"])

    def load(self) -> "Predictor":
        """Loads the network, for which TensorFlow is imported, or the estimator.

        Raises:
            UserError: where that fails.
        """
        from src.runs.import_tensorflow import import_tensorflow

        if estimator_file(self.path) is None:
            import_tensorflow()
        from src.saved_model.network_file import load_network
        from src.saved_model.predictor import Predictor

        if self.facts is not None:
            return Predictor.load(self.path)
        network = load_network(self.path)
        shape, classes = network.input_shape[1:], network.output_shape[-1]
        if None in shape or not isinstance(classes, int):
            raise UserError(f"{self.path}: takes {shape}; right is a network of one fixed shape")
        names = tuple(f"class_{k}" for k in range(classes))
        facts = ServingFacts(names, (0.0,) * classes, shape, None, None)
        return Predictor(facts, network, str(self.path))


def find_model(wanted: str, root: str, uri: str | None, *, trust_code: bool = False) -> SavedModel:
    """A model by alias, run or file.

    Code of one's own that travelled with a model of the store is trusted; that of a folder is not,
    since anybody may have made it.

    Args:
        wanted: `NAME@ALIAS`, a run id, the folder of a logged model or of a run, or a `.keras`
            file.
        root: folder of the store.
        uri: its address instead.
        trust_code: whether a folder's own code may run.

    Raises:
        UserError: where there is none, or its code is not trusted.
    """
    path = Path(wanted).expanduser()
    if path.is_dir():
        if not (path / FACTS).is_file():
            raise UserError(
                f"--model {wanted}: is a folder without {FACTS}; right are the folder of a logged "
                "model, or a run's output folder"
            )
        facts = ServingFacts.load(path)
        danger = ""
        if facts.own_modules:
            danger = "this model brings code of its own, which runs when it is loaded: "
            danger += f"{', '.join(facts.own_modules)} in {path / CODE}"
        elif estimator_file(path):
            danger = "is an estimator, whose trees are walked without a look at where they lead"
        if danger and not trust_code:
            raise UserError(
                f"--model {wanted}: {danger}. Where you trust whoever made it, add --trust-code"
            )
        return SavedModel(wanted, path, facts)
    if path.is_file():
        if path.suffix != ".keras":
            raise UserError(f"--model {wanted}: ends in {path.suffix!r}; right is .keras")
        return SavedModel(wanted, path, None)
    alias = ALIAS.fullmatch(wanted)
    if alias is None and not RUN_ID.fullmatch(wanted):
        raise UserError(
            f"--model {wanted}: is no file or folder here, no NAME@ALIAS and no run id; right are "
            "fraud@champion, 32 hex digits, or a path"
        )
    return _from_store(wanted, alias, root, uri)


def _from_store(wanted: str, alias: re.Match[str] | None, root: str, uri: str | None) -> SavedModel:
    from src.serving.refit import is_estimator
    from src.serving.registry import version_of
    from src.tracking.fetch import download, finished_run, model_of
    from src.tracking.store import Store

    store = Store.at(root, uri)
    with store.needed():
        if alias:
            version = version_of(store, alias["name"], alias["alias"])
            title, address = f"{wanted} (version {version.version})", version.source
        else:
            run = finished_run(store, wanted, "a sweep has many models; name one of its runs")
            model = model_of(store, run)
            if model is None and is_estimator(run):
                raise UserError(
                    f"run {wanted}: fits an estimator, which is not saved with its run; python -m "
                    f"src.promote {wanted} --name NAME fits it again and saves it"
                )
            if model is None:
                raise UserError(f"run {wanted}: has no model (tracking.log_model was false)")
            title, address = run.info.run_name, model.artifact_location
    folder = download(store, address)
    return SavedModel(title, folder, ServingFacts.load(folder))
