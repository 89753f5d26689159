"""Networks of `keras.applications`, preprocessing inside the model, logits of one's own.

A saved model takes pixels from 0 to 1, as every network here does. A layer brings them to the form
that the backbone was trained on: another range, means taken out, blue first.
"""

from __future__ import annotations

import difflib
import hashlib
import inspect
import os
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import keras

from ..arguments import PACKAGE, is_whole
from ..models import ClippedModel
from .augmentation import image_input
from .parts import check_common, logits_layer

IMAGENET = "imagenet"
LARGEST_PIXEL = 255.0
OWN_OPTIONS = ("include_top", "weights", "input_shape", "input_tensor", "pooling", "classes")
"""Arguments of a backbone that this module sets."""
COLOURS = 3
RENAMED = {
    "NASNet-mobile-no-top.h5": "nasnet_mobile_no_top.h5",
    "NASNet-large-no-top.h5": "nasnet_large_no_top.h5",
}
"""Files that Keras keeps under another name than their address has."""
ADDRESS = re.compile(r"https?://\S+?\.h5")


@keras.saving.register_keras_serializable(package=PACKAGE)
class ApplicationPreprocessing(keras.layers.Layer):
    """Pixels from 0 to 1 as a network of `keras.applications` was trained to see them.

    It is the network's own `preprocess_input`, on pixels from 0 to 255.

    Args:
        backbone: Name of the network, such as "MobileNetV2".
        **kwargs: As in `keras.layers.Layer`; computed in float32 unless `dtype` is given.

    Input and output have shape `(batch, height, width, 3)`.

    Raises:
        ValueError: There is no such network.

    Example:
        >>> white = keras.ops.ones((1, 32, 32, 3))
        >>> float(keras.ops.max(ApplicationPreprocessing("MobileNetV2")(white)))
        1.0
    """

    def __init__(self, backbone: str, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.backbone = backbone
        self._preprocess = application(backbone)[1]
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """Return the images as the network takes them."""
        return self._preprocess(inputs * LARGEST_PIXEL)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "backbone": self.backbone}


def application(name: str) -> tuple[Callable[..., keras.Model], Callable[[Any], Any]]:
    """Return the function that makes a network of `keras.applications`, and its preprocessing.

    Raises:
        ValueError: There is no such network; names those that are like it.
    """
    public = vars(keras.applications)
    networks = {
        key: (make, module.preprocess_input)
        for module in public.values()
        if isinstance(module, ModuleType)
        for key, make in vars(module).items()
        if inspect.isfunction(make) and key in public
    }
    if name not in networks:
        near = difflib.get_close_matches(str(name), networks, n=3, cutoff=0.4)
        raise ValueError(
            f"`backbone` must be a network of keras.applications, such as "
            f"{', '.join(near or ['MobileNetV2', 'ResNet50', 'EfficientNetB0'])}. Got {name!r}."
        )
    return networks[name]


def pretrained(
    input_shape: Sequence[int],
    num_classes: int,
    *,
    backbone: str = "MobileNetV2",
    weights: str | None = None,
    weights_sha256: str | None = None,
    frozen: bool = False,
    resize: Sequence[int] | None = None,
    options: Mapping[str, Any] | None = None,
    dropout: float = 0.0,
    augmentation: Mapping[str, Any] | None = None,
    clip_norm: float | None = None,
) -> ClippedModel:
    """A network of `keras.applications` without its top, the mean over each channel, then logits.

    Grey images become three equal colours.

    Args:
        input_shape: Shape of one image, (height, width, 1 or 3).
        num_classes: K, a whole number >= 2.
        backbone: Name of the network. Defaults to "MobileNetV2".
        weights: "imagenet", which Keras downloads once; a file with weights of the network without
            its top; or None, which begins at random. Defaults to None.
        weights_sha256: Of the file, 64 hex digits: another file is refused. None takes any.
            Defaults to None.
        frozen: Whether the logits alone learn, and the backbone stays as its weights have it.
            Defaults to False.
        resize: Height and width that images get inside the model, or None. Defaults to None.
        options: More arguments of the network, such as `{"alpha": 0.35}`. Defaults to None.
        dropout: Share of the last features dropped in training, 0 <= dropout < 1. Defaults to 0.0.
        augmentation: As in `augment`, `flip`, `shift` and `contrast`. Defaults to None.
        clip_norm: As in `ClippedModel`. Defaults to None.

    Returns:
        A model from float `(batch, height, width, channels)` to logits `(batch, K)`.

    Raises:
        ValueError: An argument is not as above, or the weights cannot be had.

    Example:
        >>> pretrained((32, 32, 1), num_classes=3, options={"alpha": 0.35}).output_shape
        (None, 3)
    """
    shape = check_common(input_shape, num_classes, dropout)
    inputs, x = image_input(shape, "pretrained network", augmentation)
    if shape[-1] not in (1, COLOURS):
        raise ValueError(f"A pretrained network takes images of 1 or 3 channels. Got {shape}.")
    if frozen and weights is None:
        raise ValueError(
            "`frozen`: a backbone that begins at random has to learn. Set model.frozen=false, "
            "model.weights=imagenet or model.weights=FILE."
        )
    if resize is not None and (len(resize) != 2 or not all(map(is_whole, resize))):
        raise ValueError(f"`resize` must be [height, width] in pixels, or None. Got {resize!r}.")
    own = sorted(set(options or ()) & set(OWN_OPTIONS))
    if own:
        raise ValueError(f"`options` may not hold {', '.join(own)}, which this function sets.")
    make, _ = application(backbone)
    if shape[-1] == 1:
        x = keras.layers.Concatenate(name="three_colours")([x] * COLOURS)
    if resize is not None and tuple(resize) != shape[:2]:
        x = keras.layers.Resizing(*map(int, resize), dtype="float32", name="resize")(x)
    x = ApplicationPreprocessing(backbone, name="preprocessing")(x)
    network = _made(make, tuple(x.shape[1:]), weights, options or {}, weights_sha256)
    network.trainable = not frozen
    # A frozen backbone is used as it is: no dropout, no statistics of batches.
    x = network(x, training=False) if frozen else network(x)
    if dropout:
        x = keras.layers.Dropout(dropout, name="dropout")(x)
    outputs = logits_layer(x, num_classes)
    return ClippedModel(inputs, outputs, clip_norm=clip_norm, name="pretrained")


def _made(
    make: Callable[..., keras.Model],
    shape: tuple[int, ...],
    weights: str | None,
    options: Mapping[str, Any],
    sha256: str | None,
) -> keras.Model:
    """Return the backbone with its weights, or raise ValueError that says how to get them."""
    arguments = {**options, "include_top": False, "input_shape": shape, "pooling": "avg"}
    try:
        with warnings.catch_warnings():
            # Weights are of one size, and taken for others, as they are meant to be.
            warnings.filterwarnings("ignore", "`input_shape` is undefined")
            network = make(**arguments, weights=IMAGENET if weights == IMAGENET else None)
    except ValueError as error:
        if "Input size" not in str(error):
            raise
        raise ValueError(f"{error}. `resize` gives images another size.") from None
    except Exception as error:  # Keras raises a bare Exception where a download fails
        if weights != IMAGENET or not ADDRESS.search(str(error)):
            raise
        raise ValueError(_how_to_get(ADDRESS.findall(str(error))[0])) from None
    if weights not in (None, IMAGENET):
        _load(network, Path(str(weights)).expanduser(), sha256)
    return network


def _how_to_get(address: str) -> str:
    name = address.rpartition("/")[2]
    name = RENAMED.get(name, name)
    folder = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "models"
    return (
        f"weights=imagenet: cannot be downloaded here. Fetch {address} elsewhere and put it into "
        f"{folder} as {name}, or anywhere with model.weights=FILE; model.weights=null "
        "model.frozen=false begins at random."
    )


def _load(network: keras.Model, file: Path, sha256: str | None) -> None:
    """Give the network the weights of a file, or raise ValueError."""
    try:
        if sha256 is not None:
            with file.open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
            if found != sha256:
                raise ValueError(f"its SHA-256 is {found}, not {sha256}")
        network.load_weights(file)
    except Exception as error:  # of h5py, zipfile or Keras, by what is wrong
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"weights={file}: holds no weights of {network.name} without its top (a file "
            f"whose name has notop or no_top): {reason}"
        ) from None
