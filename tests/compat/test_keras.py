"""Each entry is still needed, and does what it is there for."""

UNEVEN = """
import keras
import numpy as np
import tensorflow as tf

from src.compat.keras import build_from_first_replica

cpu, = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
x, y = np.ones((5, 4), "float32"), np.zeros(5)
for mended in (False, True):
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    if mended:
        build_from_first_replica(model)
    try:
        history = model.fit(x, y, batch_size=5, validation_data=(x, y), verbose=0).history
        print("mended" if mended else "as it is", "trained", list(history))
    except Exception as error:
        print("mended" if mended else "as it is", "failed", str(error).replace("\\n", " "))
"""


def test_build_from_first_replica_is_still_needed(forks, tmp_path):
    script, output = tmp_path / "uneven.py", tmp_path / "output.txt"
    script.write_text(UNEVEN)
    assert forks.start([], tmp_path, script).wait() == 0, output.read_text()
    said = output.read_text().splitlines()
    as_it_is, mended = (line for line in said if line.startswith(("as it is", "mended")))
    assert as_it_is.startswith("as it is failed"), "Keras takes uneven batches: the entry can go"
    assert "AddN" in as_it_is
    assert mended == "mended trained ['loss', 'val_loss']"
