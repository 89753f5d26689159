"""All that a store holds of its finished runs, in a form that can be compared to the bit."""

import csv
import io
import json
import zipfile
from pathlib import Path
from urllib.parse import unquote, urlparse

import h5py
import numpy as np

from src.tracking.store import Store

DONE = {"config.yaml", "history.csv", "predictions.npz", "confusion_matrix.csv", "run.json"}


def runs_of(root):
    """The jobs' runs in a store, and the sweeps' runs."""
    runs = Store.at(str(root), None).search("")
    return (
        [run for run in runs if "identity" in run.data.tags],
        [run for run in runs if "sweep.command" in run.data.tags],
    )


def results(root):
    """Every number of every finished run, by the run's name; times left out."""
    store = Store.at(str(root), None)
    found = {}
    for run in runs_of(root)[0]:
        if run.info.status == "FINISHED":
            assert run.info.run_name not in found, f"{run.info.run_name} was trained twice"
            found[run.info.run_name] = numbers_of(store, run)
    return found


def numbers_of(store, run):
    folder = place(run.info.artifact_uri)
    missing = DONE - {file.name for file in folder.iterdir()}
    assert not missing, f"{run.info.run_name}: FINISHED without {missing}"
    final = {name: value for name, value in run.data.metrics.items() if is_result(name)}
    epochs = {
        name: [(m.step, m.value) for m in store.client.get_metric_history(run.info.run_id, name)]
        for name in final
    }
    (output,) = run.outputs.model_outputs
    model = store.client.get_logged_model(output.model_id)
    assert str(model.status) == "READY"
    return {
        "identity": run.data.tags["identity"],
        "final": final,
        "epochs": {name: sorted(rows) for name, rows in epochs.items()},
        "history": history(folder),
        "predictions": predictions(folder),
        "weights": weights(place(model.artifact_location) / "data" / "model.keras"),
    }


def numbers_in(folder):
    """The same of a job's folder on disk; the folder counts as whole."""
    record = json.loads((folder / "run.json").read_text())
    return {
        "identity": record["metadata"]["identity"],
        "final": {name: value for name, value in record["metrics"].items() if is_result(name)},
        "history": history(folder),
        "predictions": predictions(folder),
        "weights": weights(folder / "model.keras"),
    }


def is_result(name):
    return not name.startswith("seconds_")


def place(uri):
    return Path(unquote(urlparse(uri).path))


def history(folder):
    with (folder / "history.csv").open(newline="") as stream:
        return [
            {name: value for name, value in row.items() if name != "time_ms"}
            for row in csv.DictReader(stream)
        ]


def predictions(folder):
    with np.load(folder / "predictions.npz", allow_pickle=False) as arrays:
        return {name: (arrays[name].dtype, arrays[name].tobytes()) for name in arrays.files}


def weights(file):
    """Every array in a `.keras` file, the optimizer's among them."""
    found = {}
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None, file
        content = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(content) as arrays:
        arrays.visititems(
            lambda name, item: (
                found.update({name: item[()].tobytes()}) if isinstance(item, h5py.Dataset) else None
            )
        )
    assert found
    return found
