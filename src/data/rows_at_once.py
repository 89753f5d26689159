"""How many rows a network computes at a time in validation, prediction and serving.

The number is the same in all of them, since the last bits of a row's result may depend on how many
rows are computed with it.
"""

from collections.abc import Sequence
from math import prod

MOST_ROWS = 1024
FEWEST_ROWS = 16
MOST_NUMBERS = 2**22
"""Pixels times channels of the images of a batch: 1,024 of 32 x 32 in colour, 16 of 256 x 256."""
IMAGE_DIMENSIONS = 3


def rows_at_once(input_shape: Sequence[int]) -> int:
    """Rows in a batch: 1,024, and of large images fewer, a power of two.

    Args:
        input_shape: of one row, (d,) or (H, W, C).
    """
    if len(input_shape) < IMAGE_DIMENSIONS:
        return MOST_ROWS
    fitting = max(MOST_NUMBERS // prod(input_shape), FEWEST_ROWS)
    return min(1 << (fitting.bit_length() - 1), MOST_ROWS)
