"""`python -m src.reproduce`: IDENTICAL for what is as recorded, else the exact difference."""

import functools
import operator
import os
import pickle
import shutil
import subprocess
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import yaml

from src import reproduce
from src.entry import guarded
from src.errors import UserError
from src.runs.identity import setting_identity
from src.runs.import_tensorflow import ONEDNN
from src.runs.recorded.recorded_targets import check_targets
from src.tracking.store import Store
from tests.marker import Marker
from tests.reliability.children import ROOT
from tests.reliability.recorded import place, runs_of

pytestmark = pytest.mark.slow

LOSSES = sorted(file.stem for file in (ROOT / "conf" / "loss").glob("*.yaml"))
SAMPLED = "glob(*,exclude=[none,smotenc])"
"""Every sampling that numbers alone can have."""
RATE = "training.learning_rate=0.01"
QUICK = ("training.epochs=1", "tracking.plots=false", "compare=false", RATE)
SMALL = ("data.n_samples=300", "data.minority_fraction=0.2")
NOT_HERE = {"fashion_mnist", "image_arrays", "image_folder", "table", "keel", "openml", "auto"}
"""Sources that need files, and the word for one of the other models."""
BACKBONE = ("model.backbone=MobileNet", "model.options={alpha: 0.25}", "model.resize=[32,32]")
AT_RANDOM = ("model.weights=null", "model.frozen=false", "training.threads=1")
"""With one thread, as the others have."""
ON_DIGITS = ("data=digits", "loss=ldam", "training.batch_size=256")


def write_table(file, rows=120):
    """A table of two classes, one of them rarer."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(rows, 3)), np.arange(rows) % 4 == 0
    lines = ["a,b,c,y", *(",".join(map(repr, row.tolist())) for row in x)]
    lines[1:] = [f"{line},{int(label)}" for line, label in zip(lines[1:], y, strict=True)]
    file.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def sweeps(forks, run_here, empty_store, tmp_path_factory):
    """Runs of every loss, model and sampling, and data made, built in, or of a file."""
    cwd = tmp_path_factory.mktemp("sweeps")
    empty_store(cwd / "mlruns")
    write_table(cwd / "mine.csv")
    table = ("data=table", f"data.path={cwd}/mine.csv", "data.label=y")
    others = "loss=glob(*,exclude=[ce,focal,ldam])"
    sweeps = (
        ("-m", others, "model.dropout=0.3", *SMALL, *QUICK),
        ("-m", "model=pretrained", *BACKBONE, *AT_RANDOM, *ON_DIGITS, *QUICK),
        ("-m", "model=cosine,cnn,resnet", "metric=imbalance", *ON_DIGITS, *QUICK),
        ("-m", f"sampling={SAMPLED}", "seed=3", "model.dropout=0.3", *SMALL, *QUICK),
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
        assert seen - {"mine"} == choices - NOT_HERE
    run_ids = [run.info.run_id for run in jobs]
    done = subprocess.run(
        [sys.executable, "-m", "src.reproduce", *run_ids, "--root", sweeps / "mlruns"],
        cwd=ROOT,
        env=os.environ | {ONEDNN: "0"},  # the kernels that are recorded compute all the same
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(": IDENTICAL, ") == len(jobs) == len(LOSSES) + 7


def test_every_loss_trains_another_model(sweeps):
    """The runs of the first sweep differ in their loss alone."""
    logits = {}
    for run in runs_of(sweeps / "mlruns")[0]:
        if (run.data.tags["data"], run.data.tags["seed"]) == ("simulated", "0"):
            with np.load(place(run.info.artifact_uri) / "predictions.npz") as arrays:
                logits[run.data.tags["loss"]] = arrays["test_logits"].tobytes()
    assert len(set(logits.values())) == len(logits) == len(LOSSES) - 3


def test_the_card_of_a_run_says_how_its_rows_were_sampled(sweeps):
    said = {
        run.data.tags["loss.label"]: (place(run.info.artifact_uri) / "model_card.md").read_text()
        for run in runs_of(sweeps / "mlruns")[0]
        if run.data.tags["loss"] == "ce"
    }
    assert len(said) == 4
    for label, card in said.items():
        assert f"Trained with loss `{label}`" in card
        assert "training rows were sampled" in card
    assert "_target_: imblearn.over_sampling.SMOTE, " in said["ce + smote"]
    assert "k_neighbors: 5" in said["ce + smote"]


def test_the_last_sweep_is_executed_where_none_is_named(sweeps, capsys):
    status, out, _ = executed(capsys, "--sweep", "--root", str(sweeps / "mlruns"))
    assert status == 0
    numbers = [line.partition(" ")[0] for line in out.splitlines()]
    assert numbers == ["[1/4]", "[2/4]", "[3/4]", "[4/4]"]
    assert all(name in out for name in ("balanced_batches", "over", "under", "smote"))


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
    assert err.splitlines()[0] == f"Error: run {tampered.run_id} is not reproducible:"
    assert err.splitlines()[1].strip().startswith(said)
    assert len(err.splitlines()) == 3

    status, out, _ = executed(capsys, *tampered.words, "--allow-different")
    assert f"not as recorded: {said}" in out
    changes_numbers = said.startswith(("data", "config"))
    assert status == int(changes_numbers)
    assert ("quantities differ" in out) == changes_numbers
    assert ("IDENTICAL" in out) != changes_numbers


HOSTILE = [
    ("data", "pathlib.Path.touch", {"self": "MARKER"}),
    ("data", "src.runs.claim.clear", {"folder": "FOLDER"}),
    ("data", "src.data.table.pd.read_pickle", {}),
    ("loss.fn", "os.system", {"command": "touch MARKER"}),
    ("metric.metrics.f1_macro", "keras.saving.load_model", {}),
    ("training.optimizer", 3, {}),
    ("data.path", "pandas.read_pickle", {}),
]
"""Section of the config, what it would build there, and with which arguments."""


def hostile(run, section, target, arguments):
    """Has the record build something else; the store's tags fit, as in a record made so."""
    file = run.folder / "config.yaml"
    config = yaml.safe_load(file.read_text())
    *sections, last = section.split(".")
    node = functools.reduce(operator.getitem, sections, config)
    before = node[last] if isinstance(node[last], dict) else {}
    node[last] = before | {"_target_": target, **arguments}
    text = yaml.safe_dump(config).replace("MARKER", str(run.marker))
    file.write_text(text.replace("FOLDER", str(run.folder)))
    run.set_tag("setting", setting_identity(yaml.safe_load(file.read_text())))


@pytest.mark.parametrize("built", HOSTILE)
@pytest.mark.parametrize("words", [(), ("--allow-different",)], ids=["", "allowed"])
def test_a_record_builds_nothing_but_sources_components_and_parts_of_keras(
    tampered, built, words, capsys
):
    section, target, arguments = built
    hostile(tampered, section, target, arguments)
    status, out, err = executed(capsys, *tampered.words, *words)
    assert (status, out) == (2, "")
    assert err.startswith(f"Error: {section}._target_={target}: is not built")
    of_values = section == "data.path"
    assert "right for recorded data are values" in err if of_values else "right are src.co" in err
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


def with_a_lambda(file, marker):
    code = f"lambda x: (open({str(marker)!r}, 'w'), x)[1]"
    layer = keras.layers.Lambda(eval(code))
    keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(2)]).save(file)
    marker.unlink(missing_ok=True)  # building the model executed it


def with_a_pickle(file, marker):
    poison = np.array([Marker(marker)], dtype=object)
    np.savez(file, val_logits=poison, test_logits=poison)


DAMAGED = [
    ("predictions.npz", with_a_pickle),
    ("predictions.npz", lambda file, marker: file.write_bytes(pickle.dumps(Marker(marker)))),
    ("predictions.npz", b"PK"),
    ("predictions.npz", lambda file, _: np.savez(file, val_logits=np.array("x"))),
    ("config.yaml", b"data: ["),
    ("config.yaml", b"data: 3"),
    ("config.yaml", b"!!python/object/apply:os.system ['touch MARKER']"),
    ("config.yaml", None),
    ("history.csv", b"loss\nx\n"),
    ("model.keras", with_a_lambda),
    ("model.keras", b"PK"),
    ("model.keras", None),
]
"""A file, and what it holds instead: bytes, what a function writes, or None where it is gone."""


@pytest.mark.parametrize(("name", "content"), DAMAGED)
def test_a_damaged_record_is_refused_and_nothing_in_it_executed(tampered, name, content, capsys):
    file = tampered.model if name == "model.keras" else tampered.folder / name
    if content is None:
        file.unlink()
    elif isinstance(content, bytes):
        file.write_bytes(content.replace(b"MARKER", str(tampered.marker).encode()))
    else:
        content(file, tampered.marker)
    status, out, err = executed(capsys, *tampered.words)
    assert (status, out) == (2, "")
    problem = "no model can be loaded from it" if name == "model.keras" else "cannot be read"
    assert err.startswith(f"Error: {name} of the record: {problem}: ")
    assert len(err.splitlines()) == 1
    assert not tampered.marker.exists()
