"""Checks of what a metric counts: all examples, however batched and weighted, once each."""

import numpy as np
import tensorflow as tf

from src.checks.closeness import differs_by, shown
from src.checks.language import say
from src.checks.metrics.subject import MetricSubject, arguments_of
from src.checks.registry import DoesNotApply, Fails, Warns, check, failing
from src.checks.tasks import BATCH

_EXACT = float(2**24)


@check("metric")
def batching_does_not_change_the_result(metric: MetricSubject) -> str:
    """The same examples give the same result in one batch, in equal and in unequal ones."""
    whole = metric.value(metric.batches[0])
    for sizes in ((BATCH // 2,) * 2, (BATCH - 4, 3, 1), (5, 1, BATCH - 6)):
        ranges = [slice(end - size, end) for size, end in zip(sizes, np.cumsum(sizes), strict=True)]
        value = metric.value(*(arguments_of(metric.data, rows) for rows in ranges))
        if differs_by(whole, value):
            parts = " + ".join(map(str, sizes))
            raise Fails(
                "one batch of {}: {}, batches of {}: {}", BATCH, shown(whole), parts, shown(value)
            )
    return say("{} however batched", shown(whole))


@check("metric")
def no_nan_at_the_edge(metric: MetricSubject) -> str:
    """One example, and examples of one class alone, rightly and wrongly predicted, give no NaN."""
    task = metric.data
    if task.form == "values":
        raise DoesNotApply("it takes no labels")
    edges = {say("one example"): np.arange(1)}
    if task.form != "numbers" and task.y_pred.ndim <= 2:
        classes = task.y_true.argmax(-1) if task.form == "one-hot" else task.y_true.reshape(BATCH)
        edges |= {
            say("class {:g} alone", c): np.flatnonzero(classes == c) for c in np.unique(classes)
        }
    for what, rows in edges.items():
        for how, value in zip(
            (say("rightly"), say("wrongly")), metric.values_right_and_wrong(task, rows), strict=True
        ):
            if np.isnan(value).any():
                raise Fails("{}, {} predicted, gives {}", what, how, shown(value))
    return say("none for {}", ", ".join(edges))


@check("metric")
def weights_count_samples(metric: MetricSubject) -> str:
    """Weight 0 leaves an example out, weight 2 counts it twice."""
    plain = metric.value(metric.batches[0])
    with failing(say("update_state(..., sample_weight=...)")):
        value, expected = metric.weighted(metric.data)
    if differs_by(value, expected):
        ignored = say(" as without weights") if differs_by(value, plain) is None else ""
        raise Fails(
            "with weights 0, 1 and 2 it gives {}{}; with examples left out and repeated {}",
            shown(value),
            ignored,
            shown(expected),
        )
    return say("{} weighted, {} unweighted", shown(value), shown(plain))


@check("metric")
def counts_beyond_2_to_the_24(metric: MetricSubject) -> str:
    """After 16,777,216 examples one more still counts."""
    one = arguments_of(metric.data, slice(0, 1))
    try:
        used = metric.updated(one, sample_weight=tf.constant([_EXACT], tf.float32))
    except Exception as error:
        raise DoesNotApply("it takes no sample weights, see weights_count_samples") from error
    before = [np.array(v) for v in used.variables]
    used.update_state(*one, sample_weight=tf.ones(1))
    stuck = [
        f"{v.name} ({v.dtype})"
        for v, old in zip(used.variables, before, strict=True)
        if np.any((np.abs(old) >= _EXACT) & (np.array(v) == old))
    ]
    if stuck:
        raise Warns("at 2^24 one more example leaves {} as it was", ", ".join(stuck))
    return say("one more example still counts")


@check("metric")
def takes_labels_of_any_dtype(metric: MetricSubject) -> str:
    """Labels as uint8, int64 and float32 give the same result."""
    if metric.data.form in ("numbers", "values"):
        raise DoesNotApply("its labels are no classes")
    y_true, y_pred = metric.batches[0]
    expected = metric.value((y_true, y_pred))
    for dtype in ("uint8", "int32", "int64", "float32"):
        with failing(say("labels as {}", dtype)):
            value = metric.value((tf.cast(y_true, dtype), y_pred))
        if differs_by(value, expected):
            raise Fails("labels as {} give {}, must be {}", dtype, shown(value), shown(expected))
    return say("{} with uint8, int32, int64 and float32", shown(expected))


@check("metric")
def takes_float16_predictions(metric: MetricSubject) -> str:
    """Predictions in float16 give nearly the same result."""
    if metric.data.form == "labels":
        raise DoesNotApply("its predictions are labels")
    *labels, y_pred = metric.batches[0]
    rounded = tf.cast(y_pred, tf.float16)
    expected = metric.value((*labels, tf.cast(rounded, tf.float32)))
    with failing(say("update_state with float16 predictions")):
        value = metric.value((*labels, rounded))
    seen = say("{} in float16, {} in float32", shown(value), shown(expected))
    if differs_by(value, expected, 2e-2):
        raise Fails(seen)
    return seen
