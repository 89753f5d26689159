"""Checks of what a model logs: loss and metrics, with their right values, afresh each epoch."""

import keras
import numpy as np

from src.checks.attributes import held
from src.checks.closeness import as_vector
from src.checks.language import say
from src.checks.models.subject import METRIC, WHOLE, ModelSubject
from src.checks.registry import DoesNotApply, Fails, check


@check("model")
def logs_hold_loss_and_metrics(model: ModelSubject) -> str:
    """The logs of `fit` and `evaluate` hold the loss and the compiled metrics."""
    history = model.plain.history
    wanted = ["loss", METRIC, "val_loss", f"val_{METRIC}"]
    lacking = [name for name in wanted if name not in history]
    if lacking:
        names = ", ".join(name.replace(METRIC, say("the compiled metric")) for name in lacking)
        raise Fails(
            "not in the logs: {}. They hold {}", names, ", ".join(history) or say("nothing")
        )
    return ", ".join(name for name in history if METRIC not in name) + say(
        " and the compiled metric"
    )


@check("model")
def logged_values_are_right(model: ModelSubject) -> str:
    """With a learning rate of 0, `fit` logs what `evaluate` of the same data gives."""
    made = model.restarted(rate=0.0)
    if model.is_random(made):
        raise DoesNotApply("its training is random: no two values agree")
    history = model.fitted(made, WHOLE)
    y_pred = np.asarray(made(model.data.x, training=False)[:WHOLE])
    expected = {"loss": model.loss_of(made), METRIC: float(np.mean(y_pred) + 1.0)}
    if not set(expected) & set(history):
        raise DoesNotApply("nothing is logged, see logs_hold_loss_and_metrics")
    for name in expected.keys() & history.keys():
        logged, right = history[name][0], expected[name]
        if not np.isclose(logged, right, rtol=1e-3, atol=1e-5):
            shown = name.replace(METRIC, say("the compiled metric"))
            raise Fails("fit logs {:.5g} for {}, it is {:.5g}", logged, shown, right)
    return ", ".join(f"{value:.5g}" for value in expected.values())


@check("model")
def metrics_are_reset(model: ModelSubject) -> str:
    """`reset_metrics`, which `fit` calls each epoch, resets every metric of the model."""
    made = model.restarted()
    model.fitted(made)
    made.reset_metrics()
    found = {
        name: part
        for name, part in held(made)
        if isinstance(part, keras.metrics.Metric) and not name.startswith("_metrics[")
    }
    kept = [name for name, metric in found.items() if as_vector(metric.variables).any()]
    if kept:
        raise Fails("not reset: {}", ", ".join(kept))
    return (
        say("{} metrics reset", len(found))
        if found
        else say("the compiled ones, and it has no others")
    )
