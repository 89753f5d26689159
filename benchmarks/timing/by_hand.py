"""What a careful user writes without this project, of which nothing is imported.

``by_hand table FILE EPOCHS BATCH`` and ``by_hand images FILE EPOCHS BATCH`` end with the seconds of
the training.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import keras
import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, StandardScaler

HIDDEN = (128, 128)
FILTERS, DENSE = (16, 32), 64
IMAGE_CLASSES = 10

Split = tuple[Any, Any]
"""Features and labels."""


def table(file: str) -> tuple[Split, Split, Split, keras.Model]:
    """Reads a CSV file by pandas, splits 60/20/20, and prepares it by scikit-learn."""
    read = pd.read_csv(file)
    names = LabelEncoder()
    y = names.fit_transform(read.pop("label"))
    x_train, x_rest, y_train, y_rest = _split(read, y, 0.4)
    x_val, x_test, y_val, y_test = _split(x_rest, y_rest, 0.5)
    prepare = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    x_train = prepare.fit_transform(x_train).astype(np.float32)
    x_val, x_test = (prepare.transform(one).astype(np.float32) for one in (x_val, x_test))
    layers = [keras.layers.Dense(width, activation="relu") for width in HIDDEN]
    inputs = keras.Input((x_train.shape[1],))
    model = keras.Sequential([inputs, *layers, keras.layers.Dense(len(names.classes_))])
    return (x_train, y_train), (x_val, y_val), (x_test, y_test), model


def images(file: str) -> tuple[Split, Split, Split, keras.Model]:
    """Images of an NPZ file, four fifths to train on; they are scored on the fifth that is left."""
    with np.load(file, allow_pickle=False) as arrays:
        x, y = arrays["images"][..., None].astype(np.float32) / 255, arrays["labels"]
    x_train, x_val, y_train, y_val = _split(x, y, 0.2)
    return (x_train, y_train), (x_val, y_val), (x_val, y_val), network(x.shape[1:])


def network(shape: tuple[int, ...]) -> keras.Model:
    """Convolutions of 3x3, each with pooling, a dense layer, then logits."""
    layers: list[keras.layers.Layer] = []
    for count in FILTERS:
        layers.append(keras.layers.Conv2D(count, 3, padding="same", activation="relu"))
        layers.append(keras.layers.MaxPooling2D(padding="same"))
    layers += [keras.layers.Flatten(), keras.layers.Dense(DENSE, activation="relu")]
    return keras.Sequential([keras.Input(shape), *layers, keras.layers.Dense(IMAGE_CLASSES)])


def _split(x: Any, y: Any, share: float) -> list[Any]:
    parts: list[Any] = train_test_split(x, y, test_size=share, stratify=y, random_state=0)
    return parts


def main() -> None:
    """Trains, scores macro F1, prints it and the seconds of the training."""
    kind, file, epochs, batch = sys.argv[1:]
    keras.utils.set_random_seed(0)
    train, val, test, model = {"table": table, "images": images}[kind](file)
    begun = time.perf_counter()
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    budget = {"epochs": int(epochs), "batch_size": int(batch)}
    model.fit(*train, validation_data=val, **budget, verbose=0)
    seconds = time.perf_counter() - begun
    decided = model.predict(test[0], batch_size=int(batch), verbose=0).argmax(axis=1)
    print("macro F1", f1_score(test[1], decided, average="macro"), "seconds", seconds)


if __name__ == "__main__":
    main()
