"""What the components give on the backend of this process; run as a program it writes a file."""

import os
import sys
from functools import cache

from tests.components.absent_jax import import_keras

if os.environ.get("KERAS_BACKEND") == "numpy":
    import_keras()

import keras
import numpy as np
from keras import ops

from src import components as c

COUNTS = [900, 90, 10]
RANDOM = np.random.default_rng(0)
Y = RANDOM.integers(0, 3, 30)
LOGITS = RANDOM.normal(scale=3, size=(30, 3)).astype("float32")
LOGITS[:4] = [[1e4, 0, -1e4], [-1e4, 1e4, 0], [0, -1e4, 1e4], [1e4, 1e4, 1e4]]
PROBABILITIES = np.asarray(np.exp(LOGITS - LOGITS.max(1, keepdims=True)), "float32")
FEATURES = RANDOM.normal(size=(30, 4)).astype("float32")


@cache
def made():
    """The losses; not on import, since one has a variable."""
    return {
        "focal": c.SparseCategoricalFocalLoss(0.5, [0.2, 0.3, 0.5]),
        "focal_probabilities": c.SparseCategoricalFocalLoss(2.0, from_logits=False),
        "weighted": c.ClassWeightedCrossentropy(COUNTS),
        "balanced": c.ClassBalancedFocalLoss(COUNTS, gamma=0.5),
        "adjusted": c.LogitAdjustedCrossentropy(COUNTS),
        "ldam": c.LDAMLoss(COUNTS),
        "asymmetric": c.AsymmetricLoss(gamma_pos=0.5, gamma_neg=0.5),
        "poly": c.PolyCrossentropy(),
        "gce": c.GeneralizedCrossentropy(),
        "smoothing": c.LabelSmoothingCrossentropy(),
        "soft_f1": c.SoftMacroF1Loss(),
        "deferred": c.DeferredReweighting(c.LDAMLoss(COUNTS), COUNTS),
        "asymmetric_without_margin": c.AsymmetricLoss(margin=0.0),
    }


def scores_of(name):
    return PROBABILITIES if "probabilities" in name else LOGITS


def losses():
    """Per example, reduced, and for labels that are no classes."""
    found = {}
    for name, loss in made().items():
        found[name] = loss.call(ops.convert_to_tensor(Y), ops.convert_to_tensor(scores_of(name)))
        found[f"{name}_mean"] = loss(Y, scores_of(name), np.linspace(0, 2, 30))
        found[f"{name}_half"] = loss.call(Y, ops.cast(scores_of(name), "float16"))
        found[f"{name}_no_class"] = loss.call([0.7, 3, -1], np.zeros((3, 3), "float32"))
    binary = c.BinaryFocalLoss(0.5, (0.25, 0.75))
    found["binary"] = binary.call([0, 1, 1, 0.5], np.array([-2, 1e4, -1e4, 0], "float32"))
    found["binary_probabilities"] = c.BinaryFocalLoss(from_logits=False).call([0, 1], [0.3, 1.0])
    return found


def metrics():
    """Values, counts, and counts beyond the integers of float32."""
    found = {}
    for metric in (c.MacroF1(3), c.ImbalanceReport(3)):
        for part in (slice(0, 13), slice(13, 30)):
            metric.update_state(Y[part], LOGITS[part], np.linspace(0, 2, 30)[part])
        result = metric.result()
        for key, value in (result if isinstance(result, dict) else {"f1": result}).items():
            found[f"{metric.name}_{key}"] = value
        found[f"{metric.name}_counts"] = metric.confusion_matrix()
        metric.reset_state()
        metric.update_state(np.eye(3)[[0, 1, 1]], np.eye(3))
        found[f"{metric.name}_one_hot"] = metric.confusion_matrix()
    many_hot = c.MacroF1(3)
    many_hot.update_state([[1, 0, 1], [0, 1, 0]], np.eye(3)[:2])
    found["many_hot"] = many_hot.result()
    single = c.MacroF1(2, from_logits=True)
    single.update_state([0, 1, 1], [-1.0, 0.5, np.nan])
    found["single_nan"] = single.result()
    found["batch_macro_f1"] = c.batch_macro_f1(Y, LOGITS)
    beyond = c.MacroF1(2)
    beyond.update_state([0, 1], np.eye(2), sample_weight=[2.0**24, 1])
    beyond.update_state([0, 0], np.eye(2))
    found["beyond_float32"] = beyond.confusion_matrix()
    return found


def layers():
    """Outputs of both layers, of zeros and of tiny and huge vectors too."""
    x = np.array([[3, 4], [0, 0], [1e-30, 0], [1e30, -1e30]], "float32")
    unit = c.L2Normalize(scale=2.0)
    cosine = c.CosineDense(3, kernel_initializer=keras.initializers.Constant(0.3))
    return {"unit": unit(x), "function": c.l2_normalize(x), "cosine": cosine(unit(x))}


def gradients():
    """Of each loss's sum by its scores, and of the norm of a vector and of zeros."""
    found = {
        f"{name}_gradient": gradient(lambda x, loss=loss: ops.sum(loss.call(Y, x)), scores_of(name))
        for name, loss in made().items()
    }
    x = np.array([[3, 4], [0, 0]], "float32")
    found["unit_gradient"] = gradient(
        lambda x: ops.sum(c.l2_normalize(x) * np.array([[1, 2]], "float32")), x
    )
    return found


def scheduled():
    """Weights of a layer whose loss weighs the classes in the last of three epochs."""
    inputs = keras.Input((4,))
    ones = keras.initializers.Constant(0.1)
    model = keras.Model(inputs, keras.layers.Dense(3, kernel_initializer=ones)(inputs))
    model.compile(keras.optimizers.SGD(0.01), made()["deferred"], jit_compile=False)
    schedule = c.ReweightingSchedule()
    data = {"validation_data": (FEATURES, Y), "shuffle": False, "callbacks": [schedule]}
    history = model.fit(FEATURES, Y, batch_size=10, epochs=3, verbose=0, **data).history
    found = {f"{key}_scheduled": np.array(history[key]) for key in ("loss", "val_loss")}
    return found | {"weights_scheduled": model.get_weights()[0]}


def gradient(function, x):
    if keras.config.backend() == "jax":
        import jax

        return jax.grad(function)(x)
    import tensorflow as tf

    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = function(x)
    return tape.gradient(value, x)


def trained(file):
    """Outputs of a network of these layers, trained, saved, and loaded again."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    outputs = c.CosineDense(3)(c.L2Normalize(scale=8.0)(keras.layers.Dense(5)(inputs)))
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.01), made()["focal"], metrics=[c.ImbalanceReport(3)])
    history = model.fit(FEATURES, Y, epochs=3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert 0 < history["f1_macro"][-1] < 1
    model.save(file)
    again = keras.saving.load_model(file, custom_objects=c.custom_objects())
    assert again.loss.get_config() == made()["focal"].get_config()
    np.testing.assert_array_equal(model.predict(FEATURES), again.predict(FEATURES))
    return {"predictions": again.predict(FEATURES)}


def values():
    found = {**losses(), **metrics(), **layers()}
    if keras.config.backend() in ("jax", "tensorflow"):
        found |= gradients() | scheduled()
    return {name: ops.convert_to_numpy(value) for name, value in found.items()}


if __name__ == "__main__":
    found = values()
    if keras.config.backend() == "jax":
        found |= trained(sys.argv[1].replace(".npz", ".keras"))
    np.savez(sys.argv[1], **found)
