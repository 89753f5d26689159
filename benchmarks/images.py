"""Grey images of 28x28, CNN 16-32, against bare Keras and against what the processor can do."""

from __future__ import annotations

import argparse
import struct
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from math import prod
from pathlib import Path

import numpy as np

from benchmarks.timing.measure import Found, Row, in_turn
from benchmarks.timing.process import Taken, by_hand, row_of, run_process, train

MINUTES = 4
ROUNDS = 3
SIZES, SIDE = (10_000, 60_000), 28
EPOCHS = 1
FILTERS, DENSE, BATCH, CLASSES = (16, 32), 64, 64, 10
VALIDATED = 0.2
SGEMM = """
import sys, time
import numpy as np
a, b = np.random.default_rng(0).random((2, 1024, 1024), np.float32)
def once():
    begun = time.perf_counter()
    for _ in range(10):
        a @ b
    return time.perf_counter() - begun
once()
print(2 * 1024**3 * 10 / min(once() for _ in range(5)))
"""
"""Multiplications and additions a second of NumPy's product of matrices in float32."""


def measure(options: argparse.Namespace) -> Found:
    """Times trainings in processes of their own, and the product of matrices in others."""
    rows, best = [], "at the rate of sgemm, one thread"
    for size in (200,) if options.tiny else SIZES:
        with tempfile.TemporaryDirectory() as name:
            write_images(Path(name), size)
            sides: list[Callable[[], Taken]] = [
                partial(_ours, name),
                partial(_ours, name, "training.threads=1"),
                partial(_ours, name, "training.deterministic=false"),
                partial(by_hand, "images", f"{name}/training.npz", str(EPOCHS), str(BATCH)),
                _sgemm,
            ]
            all_cores, one, free, bare, rates = in_turn(f"{size:,} images", sides, options, warm=0)
        what, against = f"{size:,} images", "bare Keras `fit`"
        least = tuple(_work(size) / float(taken.printed) for taken in rates)
        rows += [
            row_of("fit", f"{what}, as it comes", all_cores, against, bare, bound="<= 0.7"),
            row_of("fit", f"{what}, one thread", one, against, bare, bound="<= 0.9"),
            row_of("fit", f"{what}, `training.deterministic=false`", free, against, bare),
            Row(f"{what}, one thread", best, tuple(taken.fit for taken in one), least),
            row_of("memory", f"{what}, as it comes: peak memory", all_cores, "by hand", bare),
        ]
    note = (
        f"CNN 16-32, batches of {BATCH}, {EPOCHS} epoch: four fifths are trained on, the others "
        "validate. Keras as it comes takes all cores. Tracing is part of each. An image that is "
        f"trained on takes {flops(trained=True) / 1e6:.1f} MFLOP, one that validates "
        f"{flops(trained=False) / 1e6:.1f}."
    )
    return Found(rows, [note])


def _ours(folder: str, *words: str) -> Taken:
    data = ("data=fashion_mnist", f"data.root={folder}", "data.profile=none")
    budget = (f"training.epochs={EPOCHS}", f"training.batch_size={BATCH}")
    return train(*data, "model=cnn", "model.filters=[16,32]", *budget, *words)


def _sgemm() -> Taken:
    one_thread = {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return run_process([sys.executable, "-c", SGEMM], Path(), more=one_thread)


def _work(size: int) -> float:
    """Multiplications and additions of a training."""
    validated = round(size * VALIDATED)
    each = (size - validated) * flops(trained=True) + validated * flops(trained=False)
    return EPOCHS * each


def flops(*, trained: bool) -> int:
    """Multiplications and additions of one image in the convolutions and the dense layers.

    Backwards each layer has two products as large as the one forwards, one for its kernel and one
    for its input; the first layer's input needs none.
    """
    side, channels, products = SIDE, 1, []
    for filters in FILTERS:
        products.append(2 * prod((side, side, 3, 3, channels, filters)))
        side, channels = -(-side // 2), filters
    products += [2 * prod((side, side, channels, DENSE)), 2 * DENSE * CLASSES]
    return 3 * sum(products) - products[0] if trained else sum(products)


def write_images(folder: Path, size: int) -> None:
    """Writes noise that is brighter in some rows of the image for each class.

    Twice: as the four IDX files of Fashion-MNIST, with a tenth more to test on, and the training
    images as training.npz.
    """
    random = np.random.default_rng(0)
    for part, count in (("train", size), ("t10k", size // 10)):
        labels = (np.arange(count) % CLASSES).astype(np.uint8)
        images = random.integers(0, 160, (count, SIDE, SIDE), np.uint8)
        images[np.arange(count), 2 * labels] += 60
        for kind, values in (("images-idx3", images), ("labels-idx1", labels)):
            header = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
            (folder / f"{part}-{kind}-ubyte").write_bytes(header + values.tobytes())
        if part == "train":
            np.savez(folder / "training.npz", images=images, labels=labels)
