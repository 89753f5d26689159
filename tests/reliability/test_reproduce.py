"""`python -m src.reproduce`: IDENTICAL for what is as recorded, else the exact difference."""

import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import yaml

from src import reproduce
from src.entry import guarded
from src.errors import UserError
from src.runs.identity import setting_identity
from src.runs.recorded_targets import check_targets
from src.tracking.store import Store
from tests.reliability.children import ROOT
from tests.reliability.recorded import place, runs_of

pytestmark = pytest.mark.slow

LOSSES = sorted(file.stem for file in (ROOT / "conf" / "loss").glob("*.yaml"))
QUICK = ("training.epochs=1", "tracking.plots=false", "training.learning_rate=0.01")
SMALL = ("data.n_samples=300", "data.minority_fraction=0.2")


def write_table(file, rows=120):
    """A table of two classes, one of them rarer."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(rows, 3)), np.arange(rows) % 4 == 0
    lines = ["a,b,c,y", *(",".join(map(repr, row.tolist())) for row in x)]
    lines[1:] = [f"{line},{int(label)}" for line, label in zip(lines[1:], y, strict=True)]
    file.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def sweeps(forks, run_here, tmp_path_factory):
    """Runs of every loss, every model, and data made, built in, or of a file."""
    cwd = tmp_path_factory.mktemp("sweeps")
    write_table(cwd / "mine.csv")
    table = ("data=table", f"data.path={cwd}/mine.csv", "data.label=y")
    others = "loss=glob(*,exclude=[ce,focal,ldam])"
    sweeps = (
        ("-m", others, "model.dropout=0.3", *SMALL, *QUICK),
        ("-m", "loss=ce", "seed=3,4", "model.dropout=0.3", *SMALL, *QUICK),
        ("-m", "model=cosine,cnn", "data=digits", "metric=imbalance", "loss=ldam", *QUICK),
    )
    alone = (
        ("data=classification", "loss=focal", "seed=3", *SMALL, *QUICK),
        ("loss=focal", *table, *QUICK),
    )
    for words in sweeps:
        assert forks.start(words, cwd).wait() == 0, (cwd / "output.txt").read_text()
    for number, words in enumerate(alone):
        run_here(cwd / "alone" / str(number), *words, f"tracking.root={cwd}/mlruns")
    return cwd


def executed(capsys, *words):
    """Exit status, output and errors of the command."""
    status = guarded(lambda: reproduce.main(list(words)))
    return status, *capsys.readouterr()


def test_every_run_comes_out_identical_in_another_process(sweeps):
    jobs, _ = runs_of(sweeps / "mlruns")
    for name in ("loss", "model", "data"):
        seen = {run.data.tags[name] for run in jobs}
        choices = {file.stem for file in (ROOT / "conf" / name).glob("*.yaml")}
        assert seen - {"mine"} == choices - {"fashion_mnist", "table"}
    run_ids = [run.info.run_id for run in jobs]
    done = subprocess.run(
        [sys.executable, "-m", "src.reproduce", *run_ids, "--root", sweeps / "mlruns"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(": IDENTICAL, ") == len(jobs) == len(LOSSES) + 3


def test_the_last_sweep_is_executed_where_none_is_named(sweeps, capsys):
    status, out, _ = executed(capsys, "--sweep", "--root", str(sweeps / "mlruns"))
    assert status == 0
    assert [line.partition(" ")[0] for line in out.splitlines()] == ["[1/2]", "[2/2]"]
    assert "cosine" in out and "cnn" in out


# --- records that were tampered with ------------------------------------------------------------
@pytest.fixture
def tampered(sweeps, tmp_path):
    """The run on the table, with files and store of its own to tamper with."""
    original = sweeps / "mlruns"
    (run,) = [run for run in runs_of(original)[0] if run.data.tags["data"] == "mine"]
    folder, kept = place(run.info.artifact_uri), tmp_path / "kept"
    store = Store.at(str(original), None)
    model = store.client.get_logged_model(run.outputs.model_outputs[0].model_id)
    model_folder = place(model.artifact_location)
    shutil.copytree(folder, kept / "run")
    shutil.copytree(model_folder, kept / "model")
    shutil.copy(sweeps / "mine.csv", kept)
    tags = dict(run.data.tags)
    yield SimpleNamespace(
        run_id=run.info.run_id,
        folder=folder,
        model=model_folder / "data" / "model.keras",
        table=sweeps / "mine.csv",
        set_tag=lambda *pair: store.client.set_tag(run.info.run_id, *pair),
        words=(run.info.run_id, "--root", str(original)),
        marker=tmp_path / "code-was-executed",
    )
    shutil.copytree(kept / "run", folder, dirs_exist_ok=True)
    shutil.copytree(kept / "model", model_folder, dirs_exist_ok=True)
    shutil.copy(kept / "mine.csv", sweeps)
    for name in ("version.numpy", "code", "setting"):
        store.client.set_tag(run.info.run_id, name, tags[name])


def edit(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def another_row(run):
    with run.table.open("a") as stream:
        stream.write("9.0,9.0,9.0,1\n")


REFUSED = {
    "numpy: version 1.0 recorded, ": lambda run: run.set_tag("version.numpy", "1.0"),
    "code: commit ": lambda run: run.set_tag("code", "0" * 64),
    "data: fingerprint ": another_row,
    "config: setting ": lambda run: edit(run.folder / "config.yaml", "epochs: 1", "epochs: 2"),
    "config: identity ": lambda run: edit(
        run.folder / "config.yaml", "    gamma: 2.0", "    gamma: 3.0"
    ),
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_is_not_as_recorded_is_named_and_executed_only_where_allowed(tampered, said, capsys):
    REFUSED[said](tampered)
    status, out, err = executed(capsys, *tampered.words)
    assert status == 2
    assert out == ""
    assert err.splitlines()[0] == f"Error: run {tampered.run_id} cannot be executed as recorded:"
    assert err.splitlines()[1].strip().startswith(said)
    assert len(err.splitlines()) == 3

    status, out, _ = executed(capsys, *tampered.words, "--allow-different")
    assert f"not as recorded: {said}" in out
    changes_numbers = said.startswith(("data", "config"))
    assert status == int(changes_numbers)
    assert ("quantities differ" in out) == changes_numbers
    assert ("IDENTICAL" in out) != changes_numbers


def hostile(run, section, target, **arguments):
    """Has the record build something else; the store's tags fit, as in a record made so."""
    file = run.folder / "config.yaml"
    config = yaml.safe_load(file.read_text())
    node = config
    for key in section.split("."):
        node = node[key]
    node |= {"_target_": target, **arguments}
    file.write_text(yaml.safe_dump(config))
    run.set_tag("setting", setting_identity(config))


HOSTILE = {
    "data.path._target_=pandas.read_pickle: is not built; right for recorded data are values": (
        lambda run: hostile(
            run, "data", "src.data.table.table", path={"_target_": "pandas.read_pickle"}
        )
    ),
    "data._target_=pathlib.Path.touch: is not built from a record; right are src.components": (
        lambda run: hostile(run, "data", "pathlib.Path.touch", self=str(run.marker))
    ),
    "data._target_=src.runs.claim.clear: is not built": (
        lambda run: hostile(run, "data", "src.runs.claim.clear", folder=str(run.folder))
    ),
    "data._target_=src.data.table.pd.read_pickle: is not built": (
        lambda run: hostile(run, "data", "src.data.table.pd.read_pickle")
    ),
    "loss.fn._target_=os.system: is not built": (
        lambda run: hostile(run, "loss.fn", "os.system", command=f"touch {run.marker}")
    ),
    "metric.metrics.f1_macro._target_=keras.saving.load_model: is not built": (
        lambda run: hostile(run, "metric.metrics.f1_macro", "keras.saving.load_model")
    ),
    "training.optimizer._target_=3: is not built": (
        lambda run: hostile(run, "training.optimizer", 3)
    ),
}


@pytest.mark.parametrize("said", HOSTILE)
@pytest.mark.parametrize("words", [(), ("--allow-different",)], ids=["", "allowed"])
def test_a_record_builds_nothing_but_sources_components_and_parts_of_keras(
    tampered, said, words, capsys
):
    HOSTILE[said](tampered)
    status, out, err = executed(capsys, *tampered.words, *words)
    assert (status, out) == (2, "")
    assert err.startswith(f"Error: {said}")
    assert len(err.splitlines()) == 1
    assert not tampered.marker.exists()
    assert tampered.folder.exists()


def test_a_module_of_ones_own_is_named_and_other_packages_need_to_be_trusted(
    tampered, tmp_path, monkeypatch, capsys
):
    (tmp_path / "my_losses.py").write_text("from src.components import BinaryFocalLoss as Mine\n")
    monkeypatch.syspath_prepend(tmp_path)
    config = yaml.safe_load((tampered.folder / "config.yaml").read_text())
    config["loss"]["fn"]["_target_"] = "my_losses.Mine"
    assert check_targets(config) == ("my_losses",)
    config["model"]["_target_"] = "scipy.special.softmax"
    with pytest.raises(UserError, match=r"scipy\.special\.softmax.*--trust NAME"):
        check_targets(config)
    for name in ("scipy", "scipy.special", "scipy.special.softmax"):
        assert check_targets(config, [name]) == ("my_losses",)
    with pytest.raises(UserError, match=r"scipy\.special\.softmax"):
        check_targets(config, ["sci", "scipy.special.soft"])


def test_a_logit_that_was_changed_is_shown_with_the_difference(tampered, capsys):
    with np.load(tampered.folder / "predictions.npz") as arrays:
        content = dict(arrays)
    content["test_logits"][3, 1] += 0.25
    np.savez_compressed(tampered.folder / "predictions.npz", **content)
    status, out, _ = executed(capsys, *tampered.words)
    assert status == 1
    assert ": 1 quantities differ" in out
    (row,) = [line for line in out.splitlines() if "test logits" in line]
    assert float(row.split("│")[-2]) == pytest.approx(0.25, abs=1e-3)


def test_a_weight_that_was_changed_is_shown(tampered, capsys):
    model = keras.saving.load_model(tampered.model)
    weights = model.get_weights()
    weights[0][0, 0] += 1
    model.set_weights(weights)
    model.save(tampered.model)
    status, out, _ = executed(capsys, *tampered.words)
    assert status == 1
    assert ": 1 quantities differ" in out
    assert "weights: " in out


class Marker:
    """Creates a file when unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def with_a_lambda(run):
    code = f"lambda x: (open({str(run.marker)!r}, 'w'), x)[1]"
    layer = keras.layers.Lambda(eval(code))
    keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(2)]).save(run.model)
    run.marker.unlink(missing_ok=True)  # building the model executed it


def with_a_pickle(run):
    poison = np.array([Marker(run.marker)], dtype=object)
    np.savez(run.folder / "predictions.npz", val_logits=poison, test_logits=poison)


DAMAGED = {
    "predictions.npz": [
        with_a_pickle,
        lambda run: (run.folder / "predictions.npz").write_bytes(pickle.dumps(Marker(run.marker))),
        lambda run: (run.folder / "predictions.npz").write_bytes(b"PK"),
        lambda run: np.savez(run.folder / "predictions.npz", val_logits=np.array("x")),
    ],
    "config.yaml": [
        lambda run: (run.folder / "config.yaml").write_text("data: ["),
        lambda run: (run.folder / "config.yaml").write_text("data: 3"),
        lambda run: (run.folder / "config.yaml").write_text(
            f"!!python/object/apply:os.system ['touch {run.marker}']"
        ),
        lambda run: (run.folder / "config.yaml").unlink(),
    ],
    "history.csv": [lambda run: (run.folder / "history.csv").write_text("loss\nx\n")],
    "model.keras": [
        with_a_lambda,
        lambda run: run.model.write_bytes(b"PK"),
        lambda run: run.model.unlink(),
    ],
}


@pytest.mark.parametrize(
    ("name", "damage"), [(name, each) for name, damages in DAMAGED.items() for each in damages]
)
def test_a_damaged_record_is_refused_and_nothing_in_it_executed(tampered, name, damage, capsys):
    damage(tampered)
    status, out, err = executed(capsys, *tampered.words)
    assert (status, out) == (2, "")
    assert err.startswith(f"Error: {name} of the record cannot be read: ")
    assert len(err.splitlines()) == 1
    assert not Path(tampered.marker).exists()
