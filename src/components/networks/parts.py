"""Parts of several networks: checks of their arguments, dense layers, logits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from ..arguments import check_not_negative, check_num_classes, check_share, is_whole


def check_common(
    input_shape: Sequence[int],
    num_classes: int,
    dropout: float,
    l2: float = 0.0,
    **widths: Sequence[int],
) -> tuple[int, ...]:
    """Return the input shape, or raise ValueError for an argument that all networks take."""
    shape = tuple(input_shape)
    if not shape or not all(is_whole(size) for size in shape):
        raise ValueError(
            "`input_shape` must hold the sizes of one example, whole numbers > 0 without the "
            f"batch, for example (8, 8, 1). Got {input_shape!r}."
        )
    check_num_classes(num_classes)
    check_share(dropout, "dropout")
    check_not_negative(l2, "l2")
    for name, sizes in widths.items():
        if not all(is_whole(size) for size in sizes):
            raise ValueError(f"`{name}` must hold whole numbers > 0. Got {list(sizes)}.")
    return tuple(int(size) for size in shape)


def regularizer(l2: float) -> keras.regularizers.Regularizer | None:
    """Return the penalty on a kernel: `l2` times its squares; none for 0."""
    return keras.regularizers.L2(l2) if l2 else None


def hidden_layers(x: Any, hidden: Sequence[int], dropout: float, l2: float) -> Any:
    """Flatten, then dense ReLU layers, each with dropout after it."""
    x = keras.layers.Flatten(name="flatten")(x)
    for index, width in enumerate(hidden):
        x = keras.layers.Dense(
            int(width),
            activation="relu",
            kernel_regularizer=regularizer(l2),
            name=f"hidden_{index}",
        )(x)
        if dropout:
            x = keras.layers.Dropout(dropout, name=f"dropout_{index}")(x)
    return x


def logits_layer(x: Any, num_classes: int) -> Any:
    """One logit per class, in full precision."""
    return keras.layers.Dense(int(num_classes), dtype=keras.config.floatx(), name="logits")(x)
