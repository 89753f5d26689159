"""Checks of a model's training step: that it steps, downhill, for every term of the loss."""

from __future__ import annotations

import keras
import numpy as np

from src.checks.closeness import apart
from src.checks.messages import one_line
from src.checks.model_subject import BATCH, EPOCHS, METRIC, SAMPLES, ModelSubject, weights_of
from src.checks.registry import DoesNotApply, Fails, Warns, check

STEP = """
def train_step(self, data):
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    with tf.GradientTape() as tape:
        y_pred = self(x, training=True)
        loss = self.compute_loss(x, y, y_pred, sample_weight)
        scaled = self.optimizer.scale_loss(loss)
    gradients = tape.gradient(scaled, self.trainable_variables)
    self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
    for metric in self.metrics:
        if metric.name == "loss":
            metric.update_state(loss)
        else:
            metric.update_state(y, y_pred, sample_weight)
    return {metric.name: metric.result() for metric in self.metrics}
"""


@check(
    "model",
    why="fit runs train_step in a graph, with a smaller last batch.",
    mend="Compute with tensors throughout: no .numpy(), no Python if over tensors, no fixed batch "
    "size.",
    example=STEP,
)
def can_be_trained(model: ModelSubject) -> str:
    """`compile` and `fit` work, in a graph and with a smaller last batch."""
    model.refused()
    made = model.restarted()
    try:
        history = model.fitted(made)
    except Exception as error:
        raise Fails(f"fit raises {one_line(error)}") from error
    bad = [name for name, values in history.items() if not np.isfinite(values).all()]
    if bad:
        raise Fails(f"not finite after an epoch: {', '.join(bad)}")
    return f"one epoch, logs {', '.join(name for name in history if name != METRIC)}"


@check(
    "model",
    why="Gradients that are computed and not applied train nothing; the loss is logged all the "
    "same.",
    mend="End the step with self.optimizer.apply_gradients(zip(gradients, weights)).",
    example=STEP,
)
def the_optimizer_steps(model: ModelSubject) -> str:
    """A fit changes the weights, by the optimizer that `compile` was given."""
    fit = model.plain
    if np.array_equal(fit.before, fit.after):
        raise Fails("no weight changed")
    if fit.steps == 0:
        raise Warns("weights changed, but the optimizer of compile took no step")
    return f"{fit.steps} steps, weights moved by {np.linalg.norm(fit.after - fit.before):.3g}"


@check(
    "model",
    why="A step in the wrong direction, or on another loss, makes the model worse.",
    mend="Differentiate the loss that compile was given: self.compute_loss(...); do not negate the "
    "gradients.",
    example=STEP,
)
def training_lowers_the_loss(model: ModelSubject) -> str:
    """After some epochs with a small learning rate the loss is lower."""
    before, after = model.plain.losses
    if not after < before:
        raise Fails(f"loss {before:.5g} before, {after:.5g} after {EPOCHS} epochs")
    return f"loss {before:.5g} before, {after:.5g} after {EPOCHS} epochs"


@check(
    "model",
    why="class_weight and sample_weight reach train_step in data; a step that drops them trains "
    "on something else than you asked for, without a word.",
    mend="Unpack x, y and sample_weight, and hand the weight to compute_loss.",
    example=STEP,
)
def sample_weights_change_the_step(model: ModelSubject) -> str:
    """Other sample weights lead to other weights."""
    found = []
    weights = np.where(np.arange(SAMPLES) % 2, 2.0, 0.0).astype("float32")
    for given in (weights, weights[::-1].copy()):
        made = model.restarted()
        try:
            model.fitted(made, sample_weight=given)
        except Exception as error:
            raise Fails(f"fit(..., sample_weight=...) raises {one_line(error)}") from error
        found.append(weights_of(made))
    if np.allclose(found[0], found[1], rtol=0, atol=1e-7):
        raise Fails("weighting other samples led to the same weights")
    return "weighting other samples led to other weights"


@check(
    "model",
    why="Weight decay and add_loss of layers are in self.losses: a step that computes the loss by "
    "itself leaves them out.",
    mend="Use self.compute_loss(...), or add sum(self.losses).",
    example=STEP,
)
def regularisation_counts(model: ModelSubject) -> str:
    """A regulariser of a weight changes the step and the logged loss."""
    plain, made = model.plain, model.restarted()
    weight = max(made.trainable_weights, key=lambda w: float(np.abs(np.array(w)).sum()))
    kept = getattr(weight, "regularizer", None)
    weight.regularizer = keras.regularizers.L2(0.5)
    try:
        history = model.fitted(made, 2 * BATCH, EPOCHS)
    finally:
        weight.regularizer = kept
    if np.allclose(plain.after, weights_of(made), rtol=0, atol=1e-7):
        raise Fails("a regulariser of the largest weight left every step as it was")
    logged = [logs.get("loss", [0.0])[0] for logs in (plain.history, history)]
    if logged[0] == logged[1]:
        raise Warns(f"it changed the step, but not the logged loss, {logged[0]:.5g}")
    return f"loss {logged[0]:.5g} without, {logged[1]:.5g} with an L2 penalty"


@check(
    "model",
    why="What Python does in a step, it does once, when the step is traced: counters, lists and "
    "printed numbers stand still in a graph.",
    mend="Hold what changes in keras.Variable or a metric.",
    example="self.steps = self.add_weight(shape=(), initializer='zeros', trainable=False)",
)
def graph_and_eager_agree(model: ModelSubject) -> str:
    """Trained eagerly and in a graph it ends with the same weights."""
    plain, made = model.plain, model.restarted()
    if model.is_random(made):
        raise DoesNotApply("its training is random")
    made = model.restarted(run_eagerly=True)
    model.fitted(made, 2 * BATCH, EPOCHS)
    difference = apart(plain.after, weights_of(made), 1e-3)
    if difference:
        raise Fails(f"weights differ by {difference:.3g} of the largest")
    return f"the same weights after {EPOCHS} epochs"
