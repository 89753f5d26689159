"""Checks of a model's training step: that it steps, downhill, for every term of the loss."""

import keras
import numpy as np

from src.checks.language import say
from src.checks.models.subject import EPOCHS, EXAMPLES, METRIC, WHOLE, ModelSubject, weights_of
from src.checks.registry import Fails, Warns, check, failing


@check("model")
def can_be_trained(model: ModelSubject) -> str:
    """`compile` and `fit` work, in a graph and with a smaller last batch."""
    model.require_data()
    made = model.restarted()
    with failing("fit"):
        history = model.fitted(made)
    bad = [name for name, values in history.items() if not np.isfinite(values).all()]
    if bad:
        raise Fails("not finite after an epoch: {}", ", ".join(bad))
    return say("one epoch, logs {}", ", ".join(name for name in history if name != METRIC))


@check("model")
def the_optimizer_steps(model: ModelSubject) -> str:
    """A fit changes the weights, by the optimizer that `compile` was given."""
    fit = model.plain
    if np.array_equal(fit.before, fit.after):
        raise Fails("no weight changed")
    if fit.steps == 0:
        raise Warns("weights changed, but the optimizer of compile took no step")
    return say(
        "{} steps, weights moved by {:.3g}", fit.steps, np.linalg.norm(fit.after - fit.before)
    )


@check("model")
def training_lowers_the_loss(model: ModelSubject) -> str:
    """After some epochs with a small learning rate the loss is lower."""
    before, after = model.plain.losses
    seen = say("loss {:.5g} before, {:.5g} after {} epochs", before, after, EPOCHS)
    if not after < before:
        raise Fails(seen)
    return seen


@check("model")
def sample_weights_change_the_step(model: ModelSubject) -> str:
    """Other sample weights lead to other weights."""
    found = []
    weights = np.where(np.arange(EXAMPLES) % 2, 2.0, 0.0).astype("float32")
    for given in (weights, weights[::-1].copy()):
        made = model.restarted()
        with failing(say("fit(..., sample_weight=...)")):
            model.fitted(made, sample_weight=given)
        found.append(weights_of(made))
    if np.allclose(found[0], found[1], rtol=0, atol=1e-7):
        raise Fails("weighting other examples led to the same weights")
    return say("weighting other examples led to other weights")


@check("model")
def regularisation_counts(model: ModelSubject) -> str:
    """A regulariser of a weight changes the step and the logged loss."""
    plain, made = model.plain, model.restarted()
    weight = max(made.trainable_weights, key=lambda w: float(np.abs(np.array(w)).sum()))
    kept = getattr(weight, "regularizer", None)
    weight.regularizer = keras.regularizers.L2(0.5)
    try:
        history = model.fitted(made, WHOLE, EPOCHS)
    finally:
        weight.regularizer = kept
    if np.allclose(plain.after, weights_of(made), rtol=0, atol=1e-7):
        raise Fails("a regulariser of the largest weight left every step as it was")
    without, penalised = (logs.get("loss", [0.0])[0] for logs in (plain.history, history))
    if without == penalised:
        raise Warns("it changed the step, but not the logged loss, {:.5g}", without)
    return say("loss {:.5g} without, {:.5g} with an L2 penalty", without, penalised)
