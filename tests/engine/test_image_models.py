"""Models of images in a run: augmented, residual, pretrained; their bits, their sizes, their files.

The pretrained network begins from a file that was saved here from a small one at random: weights
of ImageNet cannot be had without a network.
"""

import hashlib
import threading
import urllib.request
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from src.components import resnet
from src.engine import sizing
from src.engine.fit import train
from src.engine.model import build_model, one_download
from src.engine.shared_graph import TrainingGraph
from src.engine.sizing import sized
from src.errors import UserError
from src.runs.seed_plan import products_of
from src.saved_model.network_file import load_network
from tests.engine.by_fit import Cut, PowerCutError, bits

pytestmark = pytest.mark.slow

AUGMENTED = (
    "model.augmentation.flip=horizontal",
    "model.augmentation.shift=0.2",
    "model.augmentation.contrast=0.3",
)
MOBILE = (
    "model=pretrained",
    "model.backbone=MobileNet",
    "model.options={alpha: 0.25}",
    "model.resize=[32,32]",
)
SHORT = ("data=digits", "training.learning_rate=0.003")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of the network without its top, as Keras publishes them."""
    file = tmp_path_factory.mktemp("weights") / "mobilenet_2_5_32_tf_no_top.weights.h5"
    keras.utils.set_random_seed(11)
    network = keras.applications.MobileNet((32, 32, 3), 0.25, include_top=False, weights=None)
    network.save_weights(file)
    return file, network.get_weights()


@pytest.fixture(scope="module")
def some_digits(job):
    """A few images as bytes, so that a residual network has three steps an epoch."""

    def made(*words):
        config, dataset = job(*SHORT, *words)
        config = sized(config, dataset)
        parts = {}
        for split, rows in (("train", 8), ("val", 6), ("test", 6)):
            x, y = getattr(dataset, f"x_{split}"), getattr(dataset, f"y_{split}")
            kept = np.concatenate([np.flatnonzero(y == k)[:rows] for k in range(10)])
            pixels = np.round(255 * x[kept]).astype(np.uint8)
            parts |= {f"x_{split}": pixels, f"y_{split}": y[kept]}
        return config, replace(dataset, **parts)

    return made


@pytest.fixture
def a_checkpoint_each_epoch(monkeypatch):
    monkeypatch.setattr("src.engine.checkpoint.SECONDS_APART", 0.0)


WAYS = {
    "augmented cnn": ("model=cnn", *AUGMENTED, "training.precision=mixed_float16"),
    "resnet": ("model=resnet", "model.depth=8", "model.filters=4", "model.clip_norm=1", *AUGMENTED),
    "fine-tuned": (*MOBILE, "model.frozen=false", "model.dropout=0.2", *AUGMENTED),
    "frozen": MOBILE,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.usefixtures("a_checkpoint_each_epoch")
def test_a_training_that_fit_began_goes_on_in_a_shared_graph_to_the_bits_of_the_graph(
    some_digits, graphs, weights, tmp_path, way
):
    file, values = weights
    from_file = [f"model.weights={file}"] if "model=pretrained" in WAYS[way] else []
    config, dataset = some_digits(*WAYS[way], *from_file)
    whole = train(config, dataset, "graph", graphs=graphs)
    assert isinstance(graphs.get(config, dataset), TrainingGraph)
    checkpoint = tmp_path / "checkpoint.npz"
    with pytest.raises(PowerCutError):
        train(config, dataset, "by fit", [Cut(epoch=1)], resume=checkpoint)
    goes_on = train(config, dataset, "on", resume=checkpoint, graphs=graphs)
    assert bits(goes_on) == bits(whole)
    goes_on.model.save(tmp_path / "model.keras")
    images = dataset.x_test.astype(np.float32) / np.float32(255)
    loaded = load_network(tmp_path / "model.keras")
    logits = loaded.predict(images, batch_size=len(images), verbose=0)
    assert logits.tobytes() == goes_on.test_logits.tobytes()
    if from_file:
        found = loaded.get_layer("mobilenet_0.25_32").get_weights()
        same = {np.array_equal(a, b) for a, b in zip(values, found, strict=True)}
        assert same == {way == "frozen"}
        learnt = len(goes_on.model.trainable_weights)
        assert (learnt == 2) == (way == "frozen"), "kernel and bias of the logits"


# --- pretrained ---------------------------------------------------------------------------------
def test_the_file_of_the_weights_is_part_of_what_a_run_is(some_digits, weights, tmp_path):
    file, other = weights[0], tmp_path / "other.weights.h5"
    config, dataset = some_digits(*MOBILE, f"model.weights={file}")
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    assert config["model"]["weights_sha256"] == found
    other.write_bytes(file.read_bytes()[:-1] + b"x")
    config["model"]["weights"] = str(other)
    with pytest.raises(UserError, match=rf"weights={other}.*SHA-256.*not {found}"):
        build_model(config, dataset)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("model.weights=/nowhere/a.h5",), "model.weights=/nowhere/a.h5: no such file"),
        (("model.weights=null",), "`frozen`.*has to learn. Set model.frozen=false, model.wei"),
        (("model.backbone=mobilenet",), "`backbone`.*MobileNet.*'mobilenet'"),
        (
            ("model.frozen=false", "model.weights=null", "model.resize=null"),
            "Input size must be at least 32x32.*`resize`",
        ),
        (
            ("model.weights=TEXT",),
            "weights=.*holds no weights of mobilenet_0.25_32 without its top",
        ),
        (("+model.options.classes=3", "model.weights=TEXT"), "`options` may not hold classes"),
    ],
    ids=["no file", "frozen at random", "no such network", "too small", "no weights", "option"],
)
def test_what_cannot_be_had_is_one_message(some_digits, tmp_path, words, message):
    (tmp_path / "text.weights.h5").write_text("no weights")
    words = [word.replace("TEXT", str(tmp_path / "text.weights.h5")) for word in words]
    with pytest.raises(UserError, match=message):
        build_model(*some_digits(*MOBILE, *words))


def test_without_a_network_the_message_names_the_file_and_the_folder(
    some_digits, monkeypatch, tmp_path
):
    for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")  # where nobody answers
    name = "mobilenet_2_5_224_tf_no_top.h5"
    (tmp_path / "x").write_text("x")
    cached = keras.utils.get_file("x", origin=(tmp_path / "x").as_uri(), cache_subdir="models")
    if (Path(cached).parent / name).exists():
        pytest.skip("the file was downloaded before")
    urllib.request.install_opener(None)  # which would keep the proxies of its first use
    try:
        with pytest.raises(UserError) as failed:
            build_model(*some_digits(*MOBILE))
    finally:
        urllib.request.install_opener(None)
    said = str(failed.value)
    assert "weights=imagenet: cannot be downloaded here. Fetch https://" in said
    assert f"put it into {Path(cached).parent} as {name}, or anywhere with model.weights=" in said


def test_jobs_wait_for_the_one_that_downloads(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    entered = threading.Event()

    def second():
        with one_download("imagenet"):
            entered.set()

    other = threading.Thread(target=second)
    with one_download("imagenet"):
        with one_download(None):  # which downloads nothing
            other.start()
        assert not entered.wait(0.2)
    other.join(10)
    assert entered.is_set()


# --- sizes --------------------------------------------------------------------------------------
def test_sizes_of_images_are_filled_in_from_them(some_digits):
    words = ("training.batch_size=auto", "training.epochs=auto", "training.threads=auto")
    residual, _ = some_digits("model=resnet", "model.depth=auto", *words)
    assert (residual["model"]["depth"], residual["training"]["threads"]) == (20, 1)
    random, _ = some_digits("model=pretrained", "model.weights=null")
    assert random["model"]["resize"] == [32, 32]
    imagenet, _ = some_digits("model=pretrained", *words)
    assert imagenet["model"]["resize"] == [96, 96]
    assert imagenet["training"]["threads"] == sizing.own_cores()
    assert sizing.resize((50, 100, 3), "Xception", None) == [71, 142]
    assert sizing.resize((96, 200, 3), "Xception", "imagenet") is None
    assert sizing.batch_size(10**6, (96, 96, 3)) == 32
    assert sizing.batch_size(60_000, (28, 28, 1)) == sizing.batch_size(60_000) == 512


def test_a_plan_counts_the_products_of_a_resnet():
    node = {"_target_": "src.components.resnet", "depth": 20, "filters": 16}
    model = resnet((32, 28, 3), 10)
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    pixels = [np.prod(layer.output.shape[1:3]) for layer in convolutions]
    whole = sum(
        map(
            np.prod,
            ((n, layer.count_params()) for n, layer in zip(pixels, convolutions, strict=True)),
        )
    )
    assert products_of(node, (32, 28, 3), 10) == whole
