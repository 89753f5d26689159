"""Images by NumPy and Keras: ``images FOLDER EPOCHS``, with training.npz in the folder.

Its last word is the seconds of the training, from building the model on.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import keras
import numpy as np
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split

FILTERS, DENSE, BATCH, CLASSES = (16, 32), 64, 64, 10


def network(shape: tuple[int, ...]) -> keras.Model:
    """Convolutions of 3x3, each with pooling, a dense layer, then logits."""
    layers: list[keras.layers.Layer] = []
    for count in FILTERS:
        layers.append(keras.layers.Conv2D(count, 3, padding="same", activation="relu"))
        layers.append(keras.layers.MaxPooling2D(padding="same"))
    layers += [keras.layers.Flatten(), keras.layers.Dense(DENSE, activation="relu")]
    return keras.Sequential([keras.Input(shape), *layers, keras.layers.Dense(CLASSES)])


def main() -> None:
    """Trains on four fifths, validates on the rest, and scores macro F1 there."""
    with np.load(Path(sys.argv[1]) / "training.npz", allow_pickle=False) as file:
        images, labels = file["images"], file["labels"]
    x = images[..., None].astype(np.float32) / 255
    x_train, x_val, y_train, y_val = train_test_split(
        x, labels, test_size=0.2, stratify=labels, random_state=0
    )
    begun = time.perf_counter()
    keras.utils.set_random_seed(0)
    model = network(x.shape[1:])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(
        x_train,
        y_train,
        validation_data=(x_val, y_val),
        epochs=int(sys.argv[2]),
        batch_size=BATCH,
        verbose=0,
    )
    seconds = time.perf_counter() - begun
    decided = model.predict(x_val, batch_size=BATCH, verbose=0).argmax(axis=1)
    print("macro F1", f1_score(y_val, decided, average="macro"), "seconds", seconds)


if __name__ == "__main__":
    main()
