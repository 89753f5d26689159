"""Macro F1 and its relatives, held against scikit-learn on all batches together."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from src.components import ImbalanceReport, MacroF1, batch_macro_f1

bounded = settings(max_examples=25, deadline=None, derandomize=True)


def sk_macro_f1(y, predicted, k, weights=None):
    return sk.f1_score(
        y, predicted, average="macro", labels=range(k), zero_division=0, sample_weight=weights
    )


@st.composite
def batches(draw):
    """A few batches of skewed labels, scores that are often right, and fractional weights."""
    k, sizes = draw(st.integers(2, 6)), draw(st.lists(st.integers(1, 20), min_size=1, max_size=4))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    rates = rng.dirichlet(np.full(k, 0.5))
    y = rng.choice(k, size=sum(sizes), p=rates)
    scores = rng.normal(size=(len(y), k)) + 1.5 * np.eye(k)[y]
    weights = rng.choice([0.0, 0.5, 1.0, 2.75], size=len(y)) if draw(st.booleans()) else None
    return k, np.cumsum(sizes)[:-1], y, scores.astype("float32"), weights


@bounded
@given(batches())
def test_macro_f1_over_batches_is_that_of_scikit_learn(case):
    k, cuts, y, scores, weights = case
    metric = MacroF1(k)
    parts = np.split(np.arange(len(y)), cuts)
    for part in parts:
        metric.update_state(y[part], scores[part], None if weights is None else weights[part])
    predicted = scores.argmax(1)
    assert float(metric.result()) == pytest.approx(sk_macro_f1(y, predicted, k, weights), abs=1e-6)
    np.testing.assert_allclose(
        metric.confusion_matrix(),
        sk.confusion_matrix(y, predicted, labels=range(k), sample_weight=weights),
    )
    *scores, _ = sk.precision_recall_fscore_support(
        y, predicted, labels=range(k), zero_division=0, sample_weight=weights
    )
    each = metric.per_class()
    for name, expected in zip(("precision", "recall", "f1"), scores, strict=True):
        np.testing.assert_allclose(each[name], expected, atol=1e-12)
    np.testing.assert_allclose(each["support"], np.bincount(y, weights, minlength=k))


@bounded
@given(batches())
def test_report_gives_every_score_of_scikit_learn_from_one_matrix(case):
    k, _, y, scores, _ = case
    report = ImbalanceReport(k)
    report.update_state(y, scores)
    predicted = scores.argmax(1)
    result = {name: float(value) for name, value in report.result().items()}
    present = sk.recall_score(y, predicted, labels=np.unique(y), average="macro")
    assert result["f1_macro"] == pytest.approx(sk_macro_f1(y, predicted, k), abs=1e-6)
    assert result["balanced_accuracy"] == pytest.approx(present, abs=1e-6)
    f1 = sk.f1_score(y, predicted, labels=range(k), average=None, zero_division=0)
    recall = sk.recall_score(y, predicted, labels=range(k), average=None, zero_division=0)
    assert set(ImbalanceReport(k, classes=()).result()) == {"f1_macro", "balanced_accuracy"}
    for c in range(k):
        assert result[f"f1_class_{c}"] == pytest.approx(f1[c], abs=1e-6)
        assert result[f"recall_class_{c}"] == pytest.approx(recall[c], abs=1e-6)


def test_a_class_neither_seen_nor_predicted_counts_zero():
    metric = MacroF1(4)
    assert float(metric.result()) == 0
    metric.update_state([0, 1], np.eye(4)[[0, 1]])
    assert float(metric.result()) == pytest.approx(0.5)


@pytest.mark.parametrize(
    "labels", [[0, 2, 1], [[0], [2], [1]], np.eye(3)[[0, 2, 1]], [0.0, 2.0, 1.0]]
)
def test_labels_may_be_flat_a_column_or_one_hot(labels):
    metric = MacroF1(3)
    metric.update_state(np.array(labels), np.eye(3)[[0, 1, 1]])
    expected = sk_macro_f1([0, 2, 1], [0, 1, 1], 3)
    assert float(metric.result()) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("column", [False, True])
def test_single_scores_are_held_against_the_threshold(threshold, from_logits, column):
    rng = np.random.default_rng(0)
    y, logits = rng.integers(0, 2, 50), rng.normal(scale=2, size=50).astype("float32")
    probabilities = 1 / (1 + np.exp(-logits))
    metric = MacroF1(2, from_logits=from_logits, threshold=threshold)
    scores = logits if from_logits else probabilities
    metric.update_state(y, scores[:, None] if column else scores)
    expected = sk_macro_f1(y, probabilities > threshold, 2)
    assert float(metric.result()) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("jit", [False, True])
def test_counts_are_exact_beyond_the_integers_of_float32_within_a_step_and_across_steps(jit):
    metric = MacroF1(2)
    count = tf.function(metric.update_state, jit_compile=jit)
    count(tf.zeros(4, tf.uint8), tf.zeros(4, tf.float16), tf.constant([2.0**24, 1, 1, 1]))
    for _ in range(3):
        count(tf.constant([0, 1, 0]), tf.constant([0.0, 0.0, 1.0]))
    assert metric.confusion_matrix().tolist() == [[2**24 + 6, 3], [3, 0]]
    assert metric.per_class()["support"].tolist() == [2**24 + 9, 3]


@pytest.mark.parametrize("jit", [False, True])
def test_compiled_and_deterministic_runs_give_the_same_bits(jit):
    rng = np.random.default_rng(1)
    y, scores = rng.integers(0, 7, 5000), rng.normal(size=(5000, 7)).astype("float32")
    weights = rng.random(5000)
    states = []
    for _ in range(2):
        metric = MacroF1(7)
        tf.function(metric.update_state, jit_compile=jit)(y, scores, weights)
        states.append((metric.confusion_matrix(), metric.per_class()["f1"]))
    np.testing.assert_array_equal(states[0][0], states[1][0])
    np.testing.assert_array_equal(states[0][1], states[1][1])
    np.testing.assert_allclose(
        states[0][0], sk.confusion_matrix(y, scores.argmax(1), sample_weight=weights)
    )


def test_counts_stay_float64_under_mixed_precision(mixed_float16):
    metric = MacroF1(2)
    assert {v.dtype for v in metric.variables} == {"float64"}
    metric.update_state([0, 1], np.eye(2, dtype="float16"), sample_weight=[2**24, 1])
    metric.update_state([0, 1], np.eye(2, dtype="float16"))
    assert metric.confusion_matrix().tolist() == [[2**24 + 1, 0], [0, 2]]
    assert metric.result().dtype == "float32"


def test_the_stateless_interface_counts_without_touching_the_metric():
    metric = MacroF1(3)
    state = [tf.convert_to_tensor(v.value) for v in metric.variables]
    for _ in range(2):
        state = metric.stateless_update_state(state, [0, 1, 2], np.eye(3)[[0, 1, 1]])
    expected = sk_macro_f1([0, 1, 2], [0, 1, 1], 3)
    assert float(metric.stateless_result(state)) == pytest.approx(expected, abs=1e-6)
    assert np.asarray(state[0]).sum() == 6
    assert metric.confusion_matrix().sum() == 0


def fit(data, callbacks=(), **compile_arguments):
    """A linear model trained and validated on the data, and its history."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, **compile_arguments)
    options = {"validation_data": data, "shuffle": False, "callbacks": callbacks}
    run = model.fit(*data, batch_size=64, epochs=3, verbose=0, **options)
    return model, run.history


@pytest.mark.parametrize("how", [{"jit_compile": True}, {"steps_per_execution": 3}])
def test_fit_and_evaluate_log_the_epochs_macro_f1(blobs, how):
    x, y = blobs
    model, history = fit(blobs, metrics=[MacroF1(3)], **how)
    expected = sk_macro_f1(y, model.predict(x, verbose=0).argmax(1), 3)
    assert history["val_f1_macro"][-1] == pytest.approx(expected, abs=1e-6)
    evaluated = model.evaluate(x, y, verbose=0, return_dict=True)["f1_macro"]
    assert evaluated == pytest.approx(expected, abs=1e-6)


@pytest.fixture(scope="module")
def fitted(blobs):
    """A model with both metrics, its history, and the counts of true classes after each step."""
    weighted, seen = MacroF1(3, name="weighted"), []
    counts = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(weighted.confusion_matrix().sum(1))
    )
    metrics = {"metrics": [ImbalanceReport(3, classes=[2])], "weighted_metrics": [weighted]}
    return *fit(blobs, callbacks=[counts], **metrics), seen


def test_each_example_is_counted_once_per_epoch(blobs, fitted):
    seen = fitted[2]
    assert len(seen) == 15
    for epoch_end in seen[4::5]:
        np.testing.assert_array_equal(epoch_end, np.bincount(blobs[1]))


def test_weighted_metrics_take_the_sample_weights_where_there_are_some(blobs, fitted):
    (x, y), (model, history, _) = blobs, fitted
    weights = np.linspace(0, 2, 300)
    logged = model.evaluate(x, y, sample_weight=weights, verbose=0, return_dict=True)["weighted"]
    predicted = model.predict(x, verbose=0).argmax(1)
    assert logged == pytest.approx(sk_macro_f1(y, predicted, 3, weights), abs=1e-6)
    unweighted = sk_macro_f1(y, predicted, 3)
    assert history["val_weighted"][-1] == pytest.approx(unweighted, abs=1e-6)


def test_the_report_is_logged_key_by_key_for_training_and_validation(blobs, fitted):
    (x, y), (model, history, _) = blobs, fitted
    keys = {"loss", "f1_macro", "balanced_accuracy", "f1_class_2", "recall_class_2", "weighted"}
    assert set(history) == keys | {f"val_{key}" for key in keys}
    predicted = model.predict(x, verbose=0).argmax(1)
    balanced = sk.balanced_accuracy_score(y, predicted)
    (recall,) = sk.recall_score(y, predicted, labels=[2], average=None)
    assert history["val_balanced_accuracy"][-1] == pytest.approx(balanced, abs=1e-6)
    assert history["val_recall_class_2"][-1] == pytest.approx(recall, abs=1e-6)


def test_the_mean_over_batches_is_not_the_epochs_macro_f1(blobs):
    x, y = blobs
    # A good classifier of these blobs: the scores are the first three features.
    scores = keras.layers.Dense(3, use_bias=False, kernel_initializer="identity")
    model = keras.Sequential([keras.Input((6,)), scores])
    model.compile(loss="sparse_categorical_crossentropy", metrics=[MacroF1(3), batch_macro_f1])
    batches = model.evaluate(x, y, batch_size=10, verbose=0, return_dict=True)
    whole = model.evaluate(x, y, batch_size=300, verbose=0, return_dict=True)
    predicted = x[:, :3].argmax(1)
    epoch = sk_macro_f1(y, predicted, 3)
    means = [sk_macro_f1(y[i : i + 10], predicted[i : i + 10], 3) for i in range(0, 300, 10)]
    assert batches["f1_macro"] == pytest.approx(epoch, abs=1e-6)
    assert batches["batch_macro_f1"] == pytest.approx(np.mean(means), abs=1e-6)
    assert (round(epoch, 2), round(np.mean(means), 2)) == (0.54, 0.47)
    # One batch holds it all: there the two agree.
    assert whole["batch_macro_f1"] == pytest.approx(whole["f1_macro"], abs=1e-6)


NO_CLASS = [*([0.0, 1.0, label] for label in (-1.0, 3.0, 0.7, 1 / 255, np.nan))]
NOT_ONE_HOT = [
    [row, [0.0, 1, 0], [0, 0, 1]]
    for row in ([1, 0, 1], [0, 0, 0], [0.9, 0.05, 0.05], [0, 2, 0], [0, np.nan, 1])
]


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("several", [NO_CLASS, NOT_ONE_HOT], ids=["classes", "rows"])
def test_a_label_that_is_no_class_gives_no_number(jit, several):
    metric, report = MacroF1(3), ImbalanceReport(3, classes=())
    updates = [tf.function(one.update_state, jit_compile=jit) for one in (metric, report)]
    for labels in several:
        y = tf.constant(labels, "float32")
        for one, update in zip((metric, report), updates, strict=True):
            one.reset_state()
            update(y, tf.eye(3))
        found = [metric.result(), *report.result().values(), batch_macro_f1(y, tf.eye(3))]
        assert np.isnan(found).all(), labels
    metric.reset_state()
    updates[0](tf.eye(3) if several is NOT_ONE_HOT else tf.constant([0.0, 1, 2]), tf.eye(3))
    assert float(metric.result()) == 1, "else it shows nothing"


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("row", [[np.nan] * 3, [0, np.nan, 1], [5, 1, np.nan]], ids=str)
def test_scores_that_are_no_numbers_are_no_class(jit, row):
    metric, single = MacroF1(3), MacroF1(2)
    scores = tf.constant([row, [0, 1, 0]], "float32")
    for one, held in ((metric, scores), (single, tf.reduce_sum(scores, 1))):
        tf.function(one.update_state, jit_compile=jit)(tf.constant([0, 1]), held)
    assert np.isnan([metric.result(), single.result(), batch_macro_f1([0, 1], scores)]).all()


def test_infinite_scores_are_numbers():
    metric = MacroF1(3)
    metric.update_state([0, 1], [[np.inf, -np.inf, 0], [-np.inf, 0, -np.inf]])
    assert float(metric.result()) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "k", "message"),
    [
        ((4,), (4, 3), 4, r"y_pred must have shape \(batch, 4\)"),
        ((4,), (4,), 3, "y_pred must have shape"),
        ((4,), (4, 1), 3, "y_pred must have shape"),
        ((4, 2), (4, 3), 3, "y_true must hold integer classes"),
        ((4, 5, 3), (4, 3), 3, "y_true must hold integer classes"),
    ],
)
def test_shapes_that_do_not_fit_are_refused_when_traced(y_true, y_pred, k, message):
    metric = MacroF1(k)
    with pytest.raises(ValueError, match=message):
        tf.function(metric.update_state)(tf.zeros(y_true), tf.zeros(y_pred))


@pytest.mark.parametrize("metric", [MacroF1, ImbalanceReport])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 1}, "`num_classes`.*1"),
        ({"num_classes": 2.5}, "`num_classes`.*2.5"),
        ({"num_classes": "3"}, "`num_classes`.*'3'"),
        ({"num_classes": 2, "threshold": 0}, "`threshold`.*0"),
        ({"num_classes": 2, "threshold": 1.0}, "`threshold`.*1.0"),
    ],
)
def test_constructors_name_the_argument_and_the_bad_value(metric, arguments, message):
    with pytest.raises(ValueError, match=message):
        metric(**arguments)


def test_classes_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match=r"`classes`.*0\.\.2.*\[3\]"):
        ImbalanceReport(3, classes=[3])
    with pytest.raises(ValueError, match=r"\(batch, K\)"):
        batch_macro_f1([0, 1], [0.2, 0.8])
