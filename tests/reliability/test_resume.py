"""A training that goes on from its checkpoint gives the bits of one that was never interrupted."""

import io
import pickle
import zipfile

import numpy as np
import pytest

from src.engine.build import load_dataset
from src.engine.callbacks import BestEpoch, OwnEpochs
from src.engine.checkpoint import Checkpoint
from src.engine.epoch_logger import EpochLogger
from src.engine.fit import train as fit
from src.engine.model import build_model
from src.engine.sampling import sampled
from src.evaluation.epoch_choice import EpochChoice
from tests.engine.by_fit import Cut, PowerCutError, bits
from tests.marker import Marker

SMALL = (
    "data.n_samples=300",
    "data.minority_fraction=0.2",
    "training.epochs=3",
    "training.batch_size=32",
    "training.learning_rate=0.01",
    "training.progress=false",
    "training.threads=1",
)
WITH_AVERAGE = "+training.optimizer.use_ema=true"
DIGITS = ("data=digits", *[word for word in SMALL if not word.startswith("data.")])


@pytest.fixture(scope="module", autouse=True)
def a_checkpoint_each_epoch():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("src.engine.checkpoint.SECONDS_APART", 0.0)
        yield


@pytest.mark.parametrize(
    "words",
    [
        ("loss=focal", "model.dropout=0.3", "training.precision=mixed_float16", *SMALL),
        ("loss=ldam_drw", "loss.defer=0.4", "model=cosine", "model.clip_norm=1", *SMALL),
        ("model=cnn", "model.dropout=0.2", *DIGITS),
        (
            "sampling=balanced_batches",
            "training.optimizer._target_=keras.optimizers.AdamW",
            WITH_AVERAGE,
            *SMALL,
        ),
        ("training.monitor=val_loss", "training.mode=min", "training.patience=1", *SMALL),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_an_interrupted_training_ends_with_the_same_bits(resolved, tmp_path, words):
    config = resolved(*words)
    dataset = sampled(load_dataset(config["data"]), config)
    whole = fit(config, dataset, "whole")
    with pytest.raises(PowerCutError):
        fit(config, dataset, "cut", [Cut(epoch=2)], resume=tmp_path / "checkpoint.npz")
    logger = EpochLogger()
    again = fit(config, dataset, "again", logger=logger, resume=tmp_path / "checkpoint.npz")
    assert [row["epoch"] for row in logger.rows] == list(range(1, len(whole.history) + 1))
    assert bits(again) == bits(whole)


# --- checkpoints that are none ------------------------------------------------------------------
@pytest.fixture(scope="module")
def begun(resolved, tmp_path_factory):
    """A model as it starts, the labels that it validates on, and its training's checkpoint."""
    folder = tmp_path_factory.mktemp("begun")
    config = resolved(*SMALL)
    dataset = load_dataset(config["data"])
    fit(config, dataset, "begun", resume=folder / "checkpoint.npz")
    checkpoint = (folder / "checkpoint.npz").read_bytes()
    return build_model(config, dataset), dataset.y_val, checkpoint


def stored(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def repacked(whole, compression=zipfile.ZIP_STORED, **changes):
    """The checkpoint with some of its arrays replaced; None leaves one out."""
    content = io.BytesIO()
    with np.load(io.BytesIO(whole)) as arrays, zipfile.ZipFile(content, "w", compression) as made:
        for name in arrays.files:
            array = changes.get(name, arrays[name])
            if array is not None:
                made.writestr(f"{name}.npy", stored(array))
    return content.getvalue()


def promise(whole):
    """Its first variable promises more memory than any machine has."""
    header = io.BytesIO()
    fields = {"descr": "<f4", "fortran_order": False, "shape": (10**14,)}
    np.lib.format.write_array_header_1_0(header, fields)
    content = io.BytesIO(repacked(whole, variable_0=None))
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("variable_0.npy", header.getvalue())
    return content.getvalue()


def bomb():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("state.npy", bytes(10**8))
    return content.getvalue()


DAMAGED = {
    "empty": lambda whole, _: b"",
    "cut short": lambda whole, _: whole[: len(whole) // 2],
    "cut by a byte": lambda whole, _: whole[:-1],
    "a byte flipped": lambda whole, _: whole[:900] + bytes([whole[900] ^ 1]) + whole[901:],
    "no archive": lambda whole, _: b"checkpoint",
    "one array": lambda whole, _: stored(np.zeros(3)),
    "a pickle": lambda whole, marker: pickle.dumps(Marker(marker)),
    "a pickle in it": lambda whole, marker: repacked(whole, variable_0=np.array([Marker(marker)])),
    "a pickle as state": lambda whole, marker: repacked(whole, state=np.array([Marker(marker)])),
    "no state": lambda whole, _: repacked(whole, state=None),
    "no JSON": lambda whole, _: repacked(whole, state=np.array("{")),
    "another state": lambda whole, _: repacked(whole, state=np.array('{"rows": 3}')),
    "an array too few": lambda whole, _: repacked(whole, variable_1=None),
    "best weights too few": lambda whole, _: repacked(whole, best_1=None),
    "tuned weights too few": lambda whole, _: repacked(whole, tuned_1=None),
    "prior's weights too few": lambda whole, _: repacked(whole, prior_1=None),
    "a choice too little": lambda whole, _: repacked(whole, choice_tuned_score=None),
    "another choice": lambda whole, _: repacked(whole, choice_logits=np.zeros((1, 2, 2), "f4")),
    "another shape": lambda whole, _: repacked(whole, variable_0=np.zeros((2, 2), "float32")),
    "text for numbers": lambda whole, _: repacked(whole, variable_0=np.array(["x"])),
    "compressed": lambda whole, _: repacked(whole, zipfile.ZIP_DEFLATED),
    "a zip bomb": lambda whole, _: bomb(),
    "a promise of memory": lambda whole, _: promise(whole),
}


def resumed(model, y_val, folder, logger):
    """How many epochs a training with this model does not have to train again."""
    best = BestEpoch("loss", "min", None, 3)
    own = OwnEpochs(EpochChoice(y_val, np.zeros(2)), None, None)
    return Checkpoint(folder / "checkpoint.npz", model, best, own, logger).epochs_done


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_checkpoint_that_is_none_starts_anew_and_runs_no_code(begun, tmp_path, damage, caplog):
    model, y_val, whole = begun
    marker = tmp_path / "was-unpickled"
    (tmp_path / "checkpoint.npz").write_bytes(DAMAGED[damage](whole, marker))
    before = [weight.tobytes() for weight in model.get_weights()]
    assert resumed(model, y_val, tmp_path, EpochLogger()) == 0
    assert [weight.tobytes() for weight in model.get_weights()] == before
    assert "starting anew" in caplog.text
    assert not marker.exists()


def test_a_whole_checkpoint_is_taken(begun, tmp_path):
    model, y_val, whole = begun
    (tmp_path / "checkpoint.npz").write_bytes(whole)
    logger = EpochLogger()
    assert resumed(model, y_val, tmp_path, logger) == 3
    assert [row["epoch"] for row in logger.rows] == [1, 2, 3]
