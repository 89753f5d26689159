"""Each entry is still needed, and does what it is there for."""

import subprocess
import sys

import pytest

UNEVEN = """
import sys
import keras
import numpy as np
import tensorflow as tf

from src.compat.keras import build_from_first_replica

cpu, = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
if sys.argv[1] == "mended":
    build_from_first_replica(model)
x, y = np.ones((5, 4), "float32"), np.zeros(5)
print(model.fit(x, y, batch_size=5, validation_data=(x, y), verbose=0).history)
"""


@pytest.mark.parametrize("how", ["as it is", "mended"])
def test_build_from_first_replica_is_still_needed(how):
    command = [sys.executable, "-c", UNEVEN, how]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if how == "mended":
        assert "val_loss" in done.stdout, done.stderr[-2000:]
    else:
        assert done.returncode, "Keras takes uneven batches by itself: the entry can go"
        assert "AddN" in done.stderr
