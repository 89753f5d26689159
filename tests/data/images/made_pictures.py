"""Files of pictures with random pixels."""

import numpy as np
from PIL import Image

RNG = np.random.default_rng(0)


def save(file, size=(6, 5), mode="L", **more):
    """A picture of random pixels."""
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = RNG.integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(file, **more)


def fill(root, *folders, pictures=10):
    for folder in folders:
        for number in range(pictures):
            save(root / folder / f"{number:02}.png")
    return root
