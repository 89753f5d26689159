"""A table by pandas, scikit-learn and Keras: ``table FILE EPOCHS BATCH``.

Its last word is the seconds of the training, from building the model on.
"""

from __future__ import annotations

import sys
import time

import keras
import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, StandardScaler

HIDDEN = (128, 128)


def main() -> None:
    """Reads, splits 60/20/20, prepares, trains and scores macro F1 on the test split."""
    file, epochs, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    table = pd.read_csv(file)
    names = LabelEncoder()
    y = names.fit_transform(table.pop("label"))
    x_train, x_rest, y_train, y_rest = train_test_split(
        table, y, test_size=0.4, stratify=y, random_state=0
    )
    x_val, x_test, y_val, y_test = train_test_split(
        x_rest, y_rest, test_size=0.5, stratify=y_rest, random_state=0
    )
    prepare = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    x_train = prepare.fit_transform(x_train).astype(np.float32)
    x_val, x_test = (prepare.transform(one).astype(np.float32) for one in (x_val, x_test))

    begun = time.perf_counter()
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(width, activation="relu") for width in HIDDEN]
    inputs = keras.Input((x_train.shape[1],))
    model = keras.Sequential([inputs, *layers, keras.layers.Dense(len(names.classes_))])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(
        x_train,
        y_train,
        validation_data=(x_val, y_val),
        epochs=epochs,
        batch_size=batch,
        verbose=0,
    )
    seconds = time.perf_counter() - begun
    decided = model.predict(x_test, batch_size=batch, verbose=0).argmax(axis=1)
    print("macro F1", f1_score(y_test, decided, average="macro"), "seconds", seconds)


if __name__ == "__main__":
    main()
