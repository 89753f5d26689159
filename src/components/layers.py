r"""Layers that put vectors, or the columns of a kernel, on the unit sphere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from .arguments import PACKAGE, check_not_negative, is_finite, is_whole
from .margin import widen


def l2_normalize(inputs: Any, axis: int | Sequence[int] = -1, epsilon: float = 0.0) -> Any:
    r"""$x / \lVert x \rVert_2$ along `axis`, and 0 for a vector of zeros.

    Vectors are divided by their largest absolute entry first, so that no square over- or
    underflows: 1e-30 and 1e30 come out as right as 1. The gradient is
    $(I - u u^\top) / \lVert x \rVert$, and 0 at a vector of zeros.

    Args:
        inputs: Floats of any shape; half precision is computed, and returned, in float32.
        axis: Axis or axes that a vector runs along. Defaults to -1.
        epsilon: Vectors whose largest absolute entry is at most this count as zeros. Defaults
            to 0.0.

    Returns:
        Floats of the shape of `inputs`.

    Example:
        >>> [round(float(entry), 4) for entry in l2_normalize([3.0, 4.0])]
        [0.6, 0.8]
    """
    vectors = widen(inputs)
    # The result does not depend on what one divides by, so no gradient flows through it.
    largest = ops.stop_gradient(ops.max(ops.abs(vectors), axis=axis, keepdims=True))
    is_zero = largest <= epsilon  # NaN is not, so that it is not hidden
    rescaled = vectors / ops.where(is_zero, 1.0, largest)
    squares = ops.sum(ops.square(rescaled), axis=axis, keepdims=True)
    return ops.where(is_zero, 0.0, rescaled * ops.rsqrt(ops.where(is_zero, 1.0, squares)))


@keras.saving.register_keras_serializable(package=PACKAGE)
class L2Normalize(keras.layers.Layer):
    r"""$s \cdot x / \lVert x \rVert_2$: every vector to norm 1, times a learned s where asked.

    A vector of zeros stays zero and gets a gradient of zero. Inputs are not cast before they are
    normalized, so that under `mixed_float16` a float32 input beyond 65504 is no infinity; the
    output has the layer's compute dtype. Masks pass through.

    Args:
        axis: Axis or axes (a sequence) that a vector runs along, the batch axis excepted.
            Defaults to -1.
        epsilon: Vectors whose largest absolute entry is at most this count as zeros; >= 0.
            Defaults to 0.0.
        scale: Initial value of a learned scalar factor s, finite and not 0, or None for no
            factor. Set `trainable=False` for a factor that stays. Defaults to None.
        **kwargs: As in `keras.layers.Layer`.

    Input and output have the same shape, of rank 2 or more; any dimension may be unknown.

    Raises:
        ValueError: An argument is not as above, or an axis is the batch or beyond the input.

    Source: Wang et al. 2017, "NormFace: L2 Hypersphere Embedding for Face Verification", ACM MM,
    for the norm and the learned scale before a softmax.

    Example:
        >>> unit = L2Normalize()(ops.convert_to_tensor([[3.0, 4.0]]))
        >>> [round(float(entry), 4) for entry in unit[0]]
        [0.6, 0.8]
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 0.0,
        scale: float | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        axes = [axis] if isinstance(axis, int) else list(axis)
        if not axes or not all(isinstance(a, int) and not isinstance(a, bool) for a in axes):
            raise ValueError(f"`axis` must be an integer or a sequence of them. Got {axis!r}.")
        if scale is not None and (not is_finite(scale) or scale == 0):
            raise ValueError(f"`scale` must be a finite number, not 0, or None. Got {scale!r}.")
        self.axis = axis if isinstance(axis, int) else axes
        self.epsilon = check_not_negative(epsilon, "epsilon")
        self.scale = None if scale is None else float(scale)
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Check the axes against the input's rank and create the scale."""
        rank = len(input_shape)
        axes = [self.axis] if isinstance(self.axis, int) else self.axis
        resolved = [a + rank if a < 0 else a for a in axes]
        if not all(0 < a < rank for a in resolved) or len(set(resolved)) != len(resolved):
            raise ValueError(
                f"`axis` must name axes 1 to {rank - 1} of an input of shape {input_shape} (axis 0 "
                f"is the batch), each once. Got {self.axis}."
            )
        if self.scale is not None:
            self.scale_weight = self.add_weight(
                name="scale", shape=(), initializer=keras.initializers.Constant(self.scale)
            )

    def call(self, inputs: Any) -> Any:
        """Return the normalized input, of the same shape."""
        outputs = l2_normalize(inputs, self.axis, self.epsilon)
        if self.scale is not None:
            outputs = outputs * ops.cast(self.scale_weight, outputs.dtype)
        return ops.cast(outputs, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"axis": self.axis, "epsilon": self.epsilon, "scale": self.scale}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package=PACKAGE)
class CosineDense(keras.layers.Layer):
    r"""$x \cdot w_c / \lVert w_c \rVert_2$ for each of `units` vectors $w_c$.

    On inputs of norm 1 these are cosines. The kernel is normalized in the forward pass rather
    than by a constraint: a constraint acts after the first update only, and leaves the optimizer
    to push along the radius.

    Args:
        units: Number of outputs, a whole number > 0.
        kernel_initializer: Directions to begin with. Defaults to "glorot_uniform".
        **kwargs: As in `keras.layers.Layer`.

    Input has shape `(batch, ..., D)` with D known, output `(batch, ..., units)`.

    Raises:
        ValueError: `units` is not as above.

    Source: Gidaris and Komodakis 2018, "Dynamic Few-Shot Visual Learning without Forgetting",
    CVPR, section 3.2 (the cosine classifier).

    Example:
        >>> outputs = CosineDense(3)(L2Normalize()(ops.convert_to_tensor([[3.0, 4.0]])))
        >>> bool(ops.all(ops.abs(outputs) <= 1.0001))
        True
    """

    def __init__(
        self, units: int, kernel_initializer: Any = "glorot_uniform", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if not is_whole(units):
            raise ValueError(f"`units` must be a whole number > 0. Got {units!r}.")
        self.units = int(units)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the kernel, shape `(D, units)`."""
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.units),
            initializer=self.kernel_initializer,
        )

    def call(self, inputs: Any) -> Any:
        """Return the products with the unit vectors."""
        directions = l2_normalize(self.kernel, axis=0)
        return ops.matmul(inputs, ops.cast(directions, inputs.dtype))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the input's shape with `units` in its last dimension."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        initializer = keras.initializers.serialize(self.kernel_initializer)
        return {**super().get_config(), "units": self.units, "kernel_initializer": initializer}
