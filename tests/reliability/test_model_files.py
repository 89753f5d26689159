"""A model file with code of others in it is refused wherever the project loads one."""

import json
import zipfile
from contextlib import suppress

import keras
import pytest

import src.components  # noqa: F401  registers the custom objects
from src.errors import UserError
from src.runs.recorded.record_reader import read_weights


def saved(folder):
    """The folder of a logged model."""
    (folder / "data").mkdir(parents=True)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="last")])
    model.save(folder / "data" / "model.keras")
    return folder


def name_last_layer(folder, module, class_name, arguments):
    """Makes the last layer of a saved model an object of another module."""
    file = folder / "data" / "model.keras"
    with zipfile.ZipFile(file) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(content["config.json"])
    config["config"]["layers"][-1] |= {
        "module": module,
        "class_name": class_name,
        "registered_name": None,
        "config": arguments,
    }
    content["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def test_a_model_of_the_project_is_loaded(tmp_path):
    assert [weight.shape for weight in read_weights(saved(tmp_path))] == [(3, 2), (2,)]


@pytest.mark.parametrize(
    ("module", "class_name"),
    [
        ("os", "system"),
        ("subprocess", "Popen"),
        ("builtins", "eval"),
        ("builtins", "exec"),
        ("pickle", "loads"),
        ("importlib", "import_module"),
        ("foreign_layers", "Layer"),
        ("src.runs.claim", "clear"),
        ("keras.src.saving.saving_lib", "load_model"),
        ("keras.utils", "get_file"),
    ],
)
def test_an_object_of_a_foreign_module_is_refused_and_its_module_not_imported(
    tmp_path, monkeypatch, module, class_name
):
    marker = tmp_path / "was-imported"
    (tmp_path / "foreign_layers.py").write_text(f"open({str(marker)!r}, 'w')\n")
    monkeypatch.syspath_prepend(tmp_path)
    folder = saved(tmp_path / "model")
    name_last_layer(folder, module, class_name, {"args": [f"touch {marker}"]})
    with pytest.raises(UserError, match=r"model\.keras of the record: no model can be loaded"):
        read_weights(folder)
    assert not marker.exists()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.99])
def test_a_model_file_cut_short_is_refused(tmp_path, share):
    folder = saved(tmp_path)
    file = folder / "data" / "model.keras"
    whole = file.read_bytes()
    file.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UserError, match=r"model\.keras of the record: no model can be loaded"):
        read_weights(folder)


@pytest.mark.filterwarnings("ignore:Skipping invalid path")
def test_a_model_file_with_a_path_outside_writes_nothing_there(tmp_path):
    folder = saved(tmp_path / "model")
    with zipfile.ZipFile(folder / "data" / "model.keras", "a") as archive:
        archive.writestr("../../../outside.txt", "written")
        archive.writestr("assets/../../../../outside.txt", "written")
    with suppress(UserError):
        read_weights(folder)
    assert not list(tmp_path.rglob("outside.txt"))
