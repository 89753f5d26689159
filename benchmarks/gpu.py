"""A CNN and an MLP on a GPU, as they come, against bare Keras there; without a GPU it says so.

Takes a few minutes where there is one. Bits of two trainings, mixed precision, `mirrored` on one
device and the memory that a training holds of the GPU are looked at as well.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.images import write_images
from benchmarks.tables import write_table
from benchmarks.timing.measure import Found, Row, in_turn
from benchmarks.timing.process import Taken, by_hand, row_of, run_process, train

MINUTES = 0.3
ROUNDS = 2
"""Without a GPU."""
IMAGES, ROWS = 60_000, 300_000
EPOCHS, BATCH = 3, 64
NONE = "Not tried on a GPU: TensorFlow finds none here."
NAMES = """
import tensorflow as tf
for device in tf.config.list_physical_devices("GPU"):
    print(tf.config.experimental.get_device_details(device).get("device_name", device.name))
"""
USED = ("nvidia-smi", "--query-gpu=memory.used,memory.total", "--format=csv,noheader,nounits")


def measure(options: argparse.Namespace) -> Found:
    """Measures on the GPUs that TensorFlow finds."""
    names = run_process([sys.executable, "-c", NAMES], Path()).printed.splitlines()
    return measured_on(", ".join(names), options) if names else Found([], [NONE])


def measured_on(device: str, options: argparse.Namespace) -> Found:
    """Times trainings where TensorFlow places them.

    Args:
        device: what it is called, for the table.
        options: of the command line.
    """
    images, rows = (200, 400) if options.tiny else (IMAGES, ROWS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_images(folder, images)
        write_table(folder / "table.csv", rows)
        budget = (f"training.epochs={EPOCHS}", f"training.batch_size={BATCH}")
        data = ("data=fashion_mnist", f"data.root={folder}", "data.profile=none")
        cnn = (*data, "model=cnn", "model.filters=[16,32]", *budget)
        table = ("data=table", f"data.path={folder}/table.csv", "data.label=label")
        mlp = (*table, "model.hidden=[128,128]", *budget)
        hand = partial(by_hand, "table", f"{folder}/table.csv", str(EPOCHS), str(BATCH))
        sides: list[Callable[[], Taken]] = [
            partial(train, *cnn),
            partial(train, *cnn, "training.precision=mixed_float16"),
            partial(train, *cnn, "training.distribute=mirrored", "training.replicas=1"),
            partial(by_hand, "images", f"{name}/training.npz", str(EPOCHS), str(BATCH)),
            partial(train, *mlp),
            hand,
        ]
        ours, mixed, mirrored, bare, table_ours, table_bare = in_turn(
            device, sides, options, warm=0
        )
        fit, here = "bare Keras `fit`", f"CNN 16-32, {images:,} images"
        found = [
            row_of("fit", here, ours, fit, bare, bound="<= 0.9"),
            row_of("fit", f"{here}, mixed_float16", mixed, "float32", ours),
            row_of("fit", f"{here}, `mirrored` on one device", mirrored, "`none`", ours),
            row_of("fit", f"MLP 128-128, {rows:,} rows", table_ours, fit, table_bare),
            *_memory(cnn),
        ]
        same = [f"{what}: {_bits(words)}" for what, words in (("CNN", cnn), ("MLP", mlp))]
    notes = [
        f"On {device}, as it comes: batches of {BATCH}, {EPOCHS} epochs, tracing included.",
        f"The same training twice, test logits to the bit: {'; '.join(same)}.",
    ]
    return Found(found, notes)


def _bits(words: Sequence[str]) -> str:
    """Whether two trainings in processes of their own give the same test logits."""
    first, second = (_test_logits(words) for _ in range(2))
    if np.array_equal(first, second):
        return "equal"
    return f"different by up to {np.abs(first - second).max():.2g}"


def _test_logits(words: Sequence[str]) -> Any:
    with tempfile.TemporaryDirectory() as name:
        train(*words, folder=Path(name))
        (file,) = (Path(name) / "outputs").rglob("predictions.npz")
        with np.load(file, allow_pickle=False) as found:
            return found["test_logits"]


def _memory(words: Sequence[str]) -> list[Row]:
    """The most that the first GPU holds during a training, against all that it has."""
    if shutil.which(USED[0]) is None:
        return []
    held: list[tuple[float, float]] = []
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.2):
            asked = subprocess.run(USED, capture_output=True, text=True, check=False)
            if asked.returncode == 0:
                used, whole = asked.stdout.splitlines()[0].split(",")
                held.append((float(used), float(whole)))

    watch = threading.Thread(target=look)
    watch.start()
    try:
        train(*words)
    finally:
        done.set()
        watch.join()
    if not held:
        return []
    used, whole = max(held)
    what = "memory of the GPU that is held meanwhile, of other processes too"
    return [Row(what, "all that it has", (used,), (whole,), "<= 0.5", "MiB")]
