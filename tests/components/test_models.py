"""ClippedModel: stock training when off, the formula when on, and what it logs."""

from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from src.components import ClippedModel, MacroF1

pytestmark = pytest.mark.slow

EXTRA = {"grad_norm", "clipped_fraction", "learning_rate"}


def make(cls=ClippedModel, l2=0.0, dropout=0.3, **arguments):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6,))
    regularizer = keras.regularizers.L2(l2) if l2 else None
    x = keras.layers.Dense(16, activation="relu", kernel_regularizer=regularizer)(inputs)
    x = keras.layers.Dropout(dropout)(x)
    if cls is ClippedModel:
        arguments.setdefault("clip_norm", None)
    return cls(inputs, keras.layers.Dense(3, dtype="float32")(x), **arguments)


def crossentropy():
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def train(model, data, optimizer=None, *, epochs=2, fit=None, **arguments):
    """Data are arrays x and y, or batches."""
    model.compile(optimizer or keras.optimizers.Adam(0.01), crossentropy(), **arguments)
    keras.utils.set_random_seed(1)
    arrays = (
        {"x": data[0], "y": data[1], "batch_size": 32} if isinstance(data, tuple) else {"x": data}
    )
    return model.fit(**arrays, epochs=epochs, verbose=0, **(fit or {})).history


def assert_same_weights(one, other):
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def distance(before, model):
    """How far the weights of a model have moved, as one vector."""
    pairs = zip(before, model.get_weights(), strict=True)
    return np.sqrt(sum(((a - b) ** 2).sum() for a, b in pairs))


CLASS_WEIGHTS = {"class_weight": {0: 1.0, 1: 3.0, 2: 9.0}}
EXAMPLE_WEIGHTS = {"sample_weight": np.linspace(0, 2, 300)}


@pytest.mark.parametrize(
    ("optimizer", "compile_arguments", "fit"),
    [
        (partial(keras.optimizers.Adam, 0.01), {"steps_per_execution": 4}, CLASS_WEIGHTS),
        (partial(keras.optimizers.Adam, 0.01), {"run_eagerly": True}, {}),
        (partial(keras.optimizers.SGD, 0.1, 0.9, global_clipnorm=0.2), {}, EXAMPLE_WEIGHTS),
        (partial(keras.optimizers.Adam, 0.01, gradient_accumulation_steps=3), {}, {}),
        (partial(keras.optimizers.AdamW, 0.01, loss_scale_factor=64.0, use_ema=True), {}, {}),
    ],
    ids=["steps_per_execution", "eager", "global_clipnorm", "accumulation", "loss_scale"],
)
def test_with_clipping_off_training_is_stock_to_the_bit(blobs, optimizer, compile_arguments, fit):
    compile_arguments = {"weighted_metrics": ["accuracy"], **compile_arguments}
    models = [make(cls, l2=1e-3) for cls in (keras.Model, ClippedModel)]
    stock, ours = (
        train(model, blobs, optimizer(), fit=fit, metrics=[MacroF1(3)], **compile_arguments)
        for model in models
    )
    assert_same_weights(*models)
    assert set(ours) - set(stock) == EXTRA
    assert {key: ours[key] for key in stock} == stock


def of_unknown_length(x, y):
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(64).filter(lambda x, y: True)


def with_no_weights_where_weights_would_be(x, y):
    none = tf.experimental.Optional.empty(tf.TensorSpec([None], "float32"))
    return of_unknown_length(x, y).map(lambda x, y: (x, y, none))


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.parametrize("batches", [of_unknown_length, with_no_weights_where_weights_would_be])
def test_batches_from_elsewhere_train_as_in_stock_keras(blobs, batches):
    models = [make(cls) for cls in (keras.Model, ClippedModel)]
    stock, ours = (train(model, batches(*blobs), fit={"shuffle": False}) for model in models)
    assert_same_weights(*models)
    assert {key: ours[key] for key in stock} == stock


def test_a_model_compiled_anew_trains_by_what_it_was_compiled_with(blobs):
    models = [make(cls) for cls in (keras.Model, ClippedModel)]
    for model in models:
        for optimizer in (keras.optimizers.SGD(0.1), keras.optimizers.Adam(0.01)):
            train(model, blobs, optimizer, epochs=1)
        model.train_on_batch(*blobs)
    assert_same_weights(*models)


def test_with_clipping_on_training_is_that_of_the_optimizers_global_clipnorm(blobs):
    stock, ours = make(keras.Model), make(clip_norm=0.8)
    train(stock, blobs, keras.optimizers.Adam(0.01, global_clipnorm=0.8))
    history = train(ours, blobs)
    assert_same_weights(stock, ours)
    assert 0 < min(history["clipped_fraction"]) < 1, "steps of both kinds"


def step_norms(model, x, y, batch_size):
    """The norms of the gradients of each batch at the model's present weights, by hand."""
    norms = []
    for i in range(0, len(x), batch_size):
        with tf.GradientTape() as tape:
            loss = crossentropy()(y[i : i + batch_size], model(x[i : i + batch_size]))
            loss += sum(model.losses)
        gradients = tape.gradient(loss, model.trainable_weights)
        norms.append(np.sqrt(sum((g.numpy() ** 2).sum() for g in gradients)))
    return np.array(norms)


@pytest.mark.parametrize("how", [{}, {"steps_per_execution": 4}, {"jit_compile": True}])
def test_norm_and_fraction_are_means_over_the_epochs_steps(blobs, how):
    model = make(l2=1e-2, dropout=0.0, clip_norm=1.0)
    norms = step_norms(model, *blobs, 32)
    model.clip_norm = float(np.median(norms))
    # A learning rate of 0 leaves the weights where they are, so the norms can be known.
    history = train(model, blobs, keras.optimizers.SGD(0.0), fit={"shuffle": False}, **how)
    assert history["grad_norm"] == pytest.approx([norms.mean()] * 2, rel=1e-5)
    expected = (norms > model.clip_norm).mean()
    assert 0 < expected < 1
    assert history["clipped_fraction"] == pytest.approx([expected] * 2)


@pytest.mark.parametrize(
    ("rate", "callbacks", "expected"),
    [
        (
            keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5),
            [],
            [0.1 * 0.5**9, 0.1 * 0.5**19],
        ),
        (0.1, [keras.callbacks.LearningRateScheduler(lambda _, rate: rate / 2)], [0.05, 0.025]),
    ],
    ids=["schedule", "callback"],
)
def test_the_learning_rate_logged_is_that_of_the_epochs_last_step(blobs, rate, callbacks, expected):
    fit = {"validation_data": blobs, "callbacks": callbacks}
    history = train(make(), blobs, keras.optimizers.SGD(rate), fit=fit)
    assert history["learning_rate"] == pytest.approx(expected)


def test_validation_and_evaluation_log_nothing_of_training(blobs):
    model = make(clip_norm=1.0)
    history = train(model, blobs, fit={"validation_data": blobs}, metrics=["accuracy"])
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"} | EXTRA
    assert set(model.evaluate(*blobs, verbose=0, return_dict=True)) == {"loss", "accuracy"}
    assert len(model.evaluate(*blobs, verbose=0)) == 2


@pytest.mark.parametrize("jit", [False, True])
def test_under_loss_scaling_the_norm_is_that_of_the_unscaled_gradients(blobs, jit, mixed_float16):
    model = make(dropout=0.0, clip_norm=0.05)
    norms = step_norms(model, *blobs, 32)
    before = model.get_weights()
    fit = {"shuffle": False, "steps_per_epoch": 1}
    history = train(model, blobs, keras.optimizers.SGD(1.0), epochs=1, fit=fit, jit_compile=jit)
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert history["grad_norm"] == pytest.approx([norms[0]], rel=1e-2)
    assert history["clipped_fraction"] == [1.0]
    assert distance(before, model) == pytest.approx(0.05, rel=1e-2)


@pytest.mark.parametrize("clip_norm", [None, 0.05])
def test_an_overflowing_step_is_skipped_and_left_out_of_means(blobs, clip_norm, mixed_float16):
    x, y = blobs
    model = make(dropout=0.0, clip_norm=clip_norm)
    norms = step_norms(model, x, y, 300)
    sgd = keras.optimizers.SGD(0.0)
    optimizer = keras.optimizers.LossScaleOptimizer(sgd, initial_scale=2.0**22)
    model.compile(optimizer, crossentropy())
    history = model.fit(x, y, batch_size=300, epochs=12, verbose=0).history
    skipped = int(np.log2(2.0**22 / float(optimizer.dynamic_scale)))
    assert 0 < skipped < 12  # the first steps overflow, each halving the scale
    expected = [0.0] * skipped + [norms[0]] * (12 - skipped)
    assert history["grad_norm"] == pytest.approx(expected, rel=2e-2)
    assert int(optimizer.iterations) == 12 - skipped
    twice = np.concatenate([x * np.float32(1e6), x]), np.concatenate([y, y])
    together = model.fit(*twice, batch_size=300, shuffle=False, verbose=0).history
    assert together["grad_norm"] == pytest.approx([norms[0]], rel=2e-2)
    assert together["clipped_fraction"] == [float(clip_norm is not None)]


def test_repeated_rows_of_an_embedding_are_summed_before_the_norm():
    inputs = keras.Input((2,), dtype="int32")
    rows = keras.layers.Embedding(4, 3, embeddings_initializer="zeros")(inputs)
    outputs = keras.layers.Lambda(lambda t: keras.ops.sum(t, (1, 2)))(rows)
    model = ClippedModel(inputs, outputs, clip_norm=1.0)
    model.compile(keras.optimizers.SGD(1.0), lambda y, p: p)
    ids = np.array([[1, 1]])
    logs = model.train_on_batch(ids, np.zeros(1), return_dict=True)
    # Row 1 is used twice, so each of its three entries has gradient 2.
    assert logs["grad_norm"] == pytest.approx(np.sqrt(12))
    assert np.linalg.norm(model.get_weights()[0]) == pytest.approx(1.0)


def test_a_frozen_model_still_evaluates_its_loss(blobs):
    model = make(clip_norm=1.0)
    model.trainable = False
    before = model.get_weights()
    with pytest.warns(UserWarning, match="no trainable weights"):
        history = train(model, blobs, run_eagerly=True, epochs=1)
    assert distance(before, model) == 0
    assert history["grad_norm"] == [0.0]


@pytest.mark.parametrize("clip_norm", [0, -1.0, np.nan, np.inf, True, "1"])
def test_a_threshold_that_is_none_is_named(clip_norm):
    with pytest.raises(ValueError, match="`clip_norm`"):
        make(clip_norm=clip_norm)


def test_a_clone_that_would_not_clip_is_refused_and_one_by_its_config_clips(blobs):
    original = make(clip_norm=0.05, dropout=0.0, name="mine")
    with pytest.raises(TypeError, match="clip_norm"):
        keras.models.clone_model(original)
    clone = ClippedModel.from_config(original.get_config())
    assert (clone.clip_norm, clone.name, type(clone)) == (0.05, "mine", ClippedModel)
    clone.set_weights(original.get_weights())
    assert train(clone, blobs) == train(original, blobs)
    assert_same_weights(clone, original)


def test_a_model_without_a_graph_is_refused():
    with pytest.raises(ValueError, match="inputs, outputs"):
        ClippedModel(clip_norm=1.0)
    with pytest.raises(ValueError, match=r"No \['outputs'\]"):
        ClippedModel(keras.Input((2,)), clip_norm=None)


def test_weights_of_a_stock_model_load(tmp_path):
    stock, ours = make(keras.Model), make()
    stock.set_weights([w + 1 for w in stock.get_weights()])
    stock.save_weights(tmp_path / "stock.weights.h5")
    ours.load_weights(tmp_path / "stock.weights.h5")
    assert_same_weights(stock, ours)
