"""The networks: shapes, logits, what they learn and what they refuse."""

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

from src.components import ClippedModel, L2Normalize, LDAMLoss, cnn, cosine, mlp

every_network = pytest.mark.parametrize("network", [mlp, cnn, cosine])


@every_network
@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (5, 7, 3), (1, 1, 1)])
def test_images_give_one_logit_per_class(network, shape):
    model = network(shape, num_classes=4, clip_norm=0.5)
    assert isinstance(model, ClippedModel)
    assert model.clip_norm == 0.5
    logits = np.asarray(model(np.random.default_rng(0).normal(size=(3, *shape)) * 5))
    assert logits.shape == (3, 4)
    assert not np.allclose(logits.sum(1), 1)


@every_network
def test_every_network_learns_digits(network):
    images, y = load_digits(return_X_y=True)
    x = images.reshape(-1, 8, 8, 1).astype("float32") / 16
    model = network((8, 8, 1), 10, dropout=0.1, clip_norm=5.0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(3e-3), loss, metrics=["accuracy"])
    model.fit(x[:1400], y[:1400], epochs=4, verbose=0, batch_size=64)
    assert model.evaluate(x[1400:], y[1400:], verbose=0, return_dict=True)["accuracy"] > 0.8


def test_vectors_go_through_mlp_and_cosine_and_the_cnn_names_the_mlp():
    x = np.ones((2, 20), "float32")
    assert mlp((20,), 2)(x).shape == (2, 2)
    assert cosine((20,), 2)(x).shape == (2, 2)
    with pytest.raises(ValueError, match=r"images.*\(20,\).*model=mlp"):
        cnn((20,), 2)


def test_the_arguments_build_the_layers():
    model = mlp((4,), 3, hidden=(5, 6), dropout=0.2, l2=0.1)
    names = [layer.name for layer in model.layers]
    assert names == [
        "features", "flatten", "hidden_0", "dropout_0", "hidden_1", "dropout_1", "logits",
    ]  # fmt: skip
    assert [w.shape for w in model.weights[::2]] == [(4, 5), (5, 6), (6, 3)]
    hidden = [model.get_layer(f"hidden_{i}").kernel.numpy() for i in range(2)]
    assert sum(float(loss) for loss in model.losses) == pytest.approx(
        0.1 * sum((kernel**2).sum() for kernel in hidden), rel=1e-5
    )
    assert mlp((4,), 3, hidden=()).count_params() == 15
    assert [layer.filters for layer in cnn((8, 8, 1), 2, filters=(3, 7)).layers[1:4:2]] == [3, 7]


def test_cosine_logits_are_cosines_times_the_scale():
    x = np.random.default_rng(0).normal(size=(50, 6)).astype("float32") * 100
    plain = cosine((6,), 3, scale=None)
    assert np.abs(plain(x)).max() <= 1 + 1e-5
    scaled = cosine((6,), 3, scale=8.0)
    kernel, hidden = scaled.get_layer("logits").kernel.numpy(), x
    for i in range(2):
        dense = scaled.get_layer(f"hidden_{i}")
        hidden = np.maximum(hidden @ dense.kernel.numpy() + dense.bias.numpy(), 0)
    norms = np.linalg.norm(hidden, axis=1)[:, None] * np.linalg.norm(kernel, axis=0)
    np.testing.assert_allclose(scaled(x), 8 * (hidden @ kernel) / norms, rtol=1e-3, atol=1e-4)
    unit = next(layer for layer in scaled.layers if isinstance(layer, L2Normalize))
    assert [float(w) for w in unit.trainable_weights] == [8.0]


def test_plain_cosines_train_with_the_ldam_loss(blobs):
    x, y = blobs
    model = cosine((6,), 3, scale=None)
    model.compile(keras.optimizers.Adam(0.01), LDAMLoss(np.bincount(y).tolist()))
    losses = model.fit(x, y, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < 0.8 * losses[0]


@every_network
def test_logits_are_float32_under_mixed_precision(network, mixed_float16):
    model = network((8, 8, 1), 3)
    assert model(np.ones((2, 8, 8, 1), "float32")).dtype == "float32"
    assert model.compute_dtype == "float16"


def test_two_networks_of_one_seed_are_equal():
    networks = []
    for _ in range(2):
        keras.utils.set_random_seed(5)
        networks.append(cnn((8, 8, 1), 3))
    for a, b in zip(networks[0].get_weights(), networks[1].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert networks[0].get_config() == networks[1].get_config()


@every_network
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_shape": ()}, "`input_shape`"),
        ({"input_shape": (None, 8, 1)}, "`input_shape`.*None"),
        ({"input_shape": (8, 0, 1)}, "`input_shape`.*0"),
        ({"num_classes": 1}, "`num_classes`.*1"),
        ({"num_classes": "3"}, "`num_classes`.*'3'"),
        ({"dropout": 1.0}, "`dropout`.*1.0"),
        ({"dropout": -0.1}, "`dropout`.*-0.1"),
        ({"l2": -1.0}, "`l2`.*-1.0"),
        ({"clip_norm": 0.0}, "`clip_norm`.*0.0"),
    ],
)
def test_bad_arguments_are_named(network, arguments, message):
    with pytest.raises(ValueError, match=message):
        network(**{"input_shape": (8, 8, 1), "num_classes": 3, **arguments})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: mlp((4,), 2, hidden=(0,)), "`hidden`"),
        (lambda: cosine((4,), 2, hidden=()), "`hidden`"),
        (lambda: cosine((4,), 2, scale=0.0), "`scale`"),
        (lambda: cnn((8, 8, 1), 2, filters=(3, -1)), "`filters`"),
        (lambda: cnn((8, 8, 1), 2, dense=0), "`dense`"),
    ],
)
def test_bad_widths_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
