"""Networks of images: augmentation, residual networks, and those of `keras.applications`."""

import keras
import numpy as np
import pytest

from src.components import ApplicationPreprocessing, PadChannels, augment, cnn, pretrained, resnet


# --- augmentation -------------------------------------------------------------------------------
def augmented(images, **how):
    inputs = keras.Input(images.shape[1:])
    model = keras.Model(inputs, augment(inputs, **how))
    np.testing.assert_array_equal(model(images, training=False), images)
    return np.asarray(model(images, training=True))


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(0.3, 0.7, (200, 8, 8, 1)).astype("float32")


@pytest.mark.parametrize(("flip", "axis"), [("horizontal", 2), ("vertical", 1)])
def test_about_half_of_the_images_are_flipped_in_training_and_none_in_prediction(
    images, flip, axis
):
    found = augmented(images, flip=flip)
    flipped = [np.allclose(a, b) for a, b in zip(found, np.flip(images, axis), strict=True)]
    same = [np.allclose(a, b) for a, b in zip(found, images, strict=True)]
    assert np.logical_xor(flipped, same).all()
    assert 70 < sum(flipped) < 130


def test_images_are_shifted_by_at_most_the_share_and_black_comes_in(images):
    found = augmented(np.ones((200, 16, 16, 1), "float32"), shift=0.25)
    black = [(found[..., 0] < 0.5).all(axis).sum(1) for axis in (1, 2)]
    for lines in black:
        assert lines.max() == 4
        assert lines.min() == 0
    centre = found[:, 5:11, 5:11]
    np.testing.assert_allclose(centre, 1, atol=1e-5)


def test_contrast_goes_up_and_down_by_the_share(images):
    found = augmented(images, contrast=0.3)
    factors = found.std((1, 2, 3)) / images.std((1, 2, 3))
    assert 0.7 <= factors.min() < 0.75
    assert 1.25 < factors.max() <= 1.3 + 1e-5
    np.testing.assert_allclose(found.mean((1, 2, 3)), images.mean((1, 2, 3)), rtol=1e-5)


def test_a_model_that_is_called_without_a_word_on_training_predicts(images):
    model = cnn((8, 8, 1), 2, augmentation={"flip": "horizontal", "shift": 0.5, "contrast": 0.9})
    np.testing.assert_array_equal(model(images), model(images, training=False))
    assert not np.allclose(model(images), model(images, training=True))


def test_nothing_asked_for_adds_no_layer_and_bad_words_are_named():
    inputs = keras.Input((8, 8, 1))
    assert augment(inputs) is inputs
    for bad in ({"flip": "up"}, {"shift": 1.0}, {"contrast": -0.1}):
        with pytest.raises(ValueError, match=f"`{next(iter(bad))}`"):
            augment(inputs, **bad)


# --- residual networks --------------------------------------------------------------------------
@pytest.mark.parametrize(("depth", "weights"), [(20, 269_722), (32, 464_154)])
def test_a_resnet_has_as_many_weights_as_that_of_the_paper(depth, weights):
    """0.27 and 0.46 million in table 6 of He et al.; to the weight, those of its option A."""
    model = resnet((32, 32, 3), 10, depth=depth)
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == weights
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert len(layers) + 1 == depth


def test_a_shortcut_hands_on_every_second_pixel_and_zeros():
    model = resnet((5, 8, 1), 2, depth=8, filters=3)
    inside = keras.Model(
        model.inputs,
        [
            model.get_layer(name).output
            for name in ("stage_0_block_0_relu", "stage_1_block_0_more_channels")
        ],
    )
    before, after = map(np.asarray, inside(np.random.default_rng(0).normal(size=(2, 5, 8, 1))))
    np.testing.assert_array_equal(after[..., :3], before[:, ::2, ::2])
    assert after.shape == (2, 3, 4, 6)
    assert not after[..., 3:].any()


def test_a_convolution_of_stride_two_looks_where_the_shortcut_does():
    model = resnet((6, 6, 1), 2, depth=8, filters=1)
    convolution = model.get_layer("stage_1_block_0_a_conv")
    convolution.set_weights([np.eye(9)[4].reshape(3, 3, 1, 1).repeat(2, -1)])  # the centre alone
    inside = keras.Model(
        model.inputs, [model.get_layer("stage_0_block_0_relu").output, convolution.output]
    )
    before, after = map(np.asarray, inside(np.random.default_rng(0).normal(size=(2, 6, 6, 1))))
    np.testing.assert_allclose(after[..., :1], before[:, ::2, ::2], rtol=1e-6)


@pytest.mark.parametrize("depth", [21, 2, 20.0, "20"])
def test_a_depth_that_is_none_is_named(depth):
    with pytest.raises(ValueError, match="`depth` must be 6n"):
        resnet((8, 8, 1), 2, depth=depth)


def test_padding_takes_whole_numbers():
    with pytest.raises(ValueError, match="`channels`"):
        PadChannels(0)


# --- keras.applications -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("backbone", "module"),
    [
        ("VGG16", keras.applications.vgg16),  # blue first, means taken out
        ("MobileNetV2", keras.applications.mobilenet_v2),  # -1 to 1
        ("DenseNet121", keras.applications.densenet),  # means and deviations
        ("EfficientNetB0", keras.applications.efficientnet),  # as it is
    ],
)
def test_preprocessing_is_that_of_keras(backbone, module):
    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3)).astype("float32")
    found = ApplicationPreprocessing(backbone)(pixels / np.float32(255))
    np.testing.assert_allclose(found, module.preprocess_input(pixels.copy()), atol=2e-4)


def test_a_pretrained_network_gives_what_its_parts_give():
    """Grey images as three colours, resized, preprocessed, without the backbone's top."""
    model = pretrained(
        (20, 24, 1), 3, backbone="MobileNet", resize=(32, 40), options={"alpha": 0.25}
    )
    images = np.random.default_rng(0).uniform(size=(2, 20, 24, 1)).astype("float32")
    colour = keras.ops.image.resize(np.repeat(images, 3, -1), (32, 40))
    seen = keras.applications.mobilenet.preprocess_input(np.array(colour) * 255)
    backbone = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    kernel, bias = model.get_layer("logits").get_weights()
    expected = np.asarray(backbone(seen, training=True)) @ kernel + bias
    np.testing.assert_allclose(model(images, training=True), expected, atol=1e-4)
