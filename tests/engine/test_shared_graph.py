"""Runs that share a graph have the bits that ``fit`` gives each alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from src.components import ClippedModel
from src.engine.fit import train
from src.engine.graph_cache import GraphCache
from src.engine.model import build_model
from src.engine.shared_graph import TrainingGraph
from tests.engine.by_fit import SeesBatches, bits

pytestmark = pytest.mark.slow


# --- the same bits ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "words",
    [
        ("loss=focal", "model.dropout=0.3", "training.precision=mixed_float16"),
        ("loss=ldam", "model=cosine", "model.clip_norm=1", "metric=imbalance"),
        ("loss=asymmetric", "loss.gamma_neg=3", "loss.gamma_pos=0.7", "sampling=balanced_batches"),
        ("training.optimizer._target_=keras.optimizers.AdamW", "+training.optimizer.use_ema=true"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_a_shared_graph_gives_the_bits_of_fit(job, graphs, words):
    config, dataset = job(*words)
    by_fit = train(config, dataset, "fit", [SeesBatches()], graphs=graphs)
    assert len(graphs) == 0
    by_graph = train(config, dataset, "graph", graphs=graphs)
    assert isinstance(graphs.get(config, dataset), TrainingGraph)
    assert bits(by_graph) == bits(by_fit)
    assert list(by_graph.history[0]) == list(by_fit.history[0])


def test_a_run_has_the_same_bits_alone_and_among_any_neighbours(job, graphs):
    seeds = [job(f"seed={seed}", "model.dropout=0.2") for seed in range(4)]
    by_itself = train(*seeds[2], "")
    alone = bits(by_itself), names(by_itself)
    in_order = [train(*one, "", graphs=graphs) for one in seeds]
    backwards = [train(*one, "", graphs=graphs) for one in reversed(seeds)]
    assert len(graphs) == 1, "all of them share one graph"
    assert (bits(in_order[2]), names(in_order[2])) == alone
    for one, again in zip(in_order, reversed(backwards), strict=True):
        assert bits(one) == bits(again)
    assert len({bits(one)[2] for one in in_order}) == len(seeds)


def names(trained):
    """What Keras has counted, as the saved file has it."""
    return trained.model.get_config(), trained.model.get_compile_config()


SCHEDULE = (
    "training.optimizer.learning_rate={_target_: keras.optimizers.schedules.ExponentialDecay,"
    " initial_learning_rate: RATE, decay_steps: 5, decay_rate: 0.5}"
)


@pytest.mark.parametrize(
    ("word", "more", "traced"),
    [
        ("training.learning_rate=RATE", (), 1),
        ("training.learning_rate=RATE", ("training.precision=mixed_float16",), 1),
        (SCHEDULE, (), 2),
    ],
    ids=["rate", "rate under a scaled loss", "schedule"],
)
def test_learning_rates_share_a_graph_and_schedules_do_not(job, graphs, word, more, traced):
    words = [word.replace("RATE", rate) for rate in ("1e-3", "0.1")]
    jobs = [job(one, "loss=focal", *more) for one in words]
    shared = [train(*one, "", graphs=graphs) for one in jobs]
    assert len(graphs) == traced
    assert bits(shared[-1]) == bits(train(*jobs[-1], "", [SeesBatches()]))
    assert len({bits(one)[2] for one in shared}) == len(jobs)


@pytest.mark.parametrize("more", [(), ("training.precision=mixed_float16",)], ids=" ".join)
def test_trials_that_keep_no_model_have_the_bits_of_those_that_do(job, graphs, more):
    words = [
        ("loss=ce", "seed=1"),
        ("loss=ce", "seed=1", "training.learning_rate=0.1"),
        ("loss=focal", "seed=1"),
        ("loss=focal", "loss.gamma=1", "seed=1", "training.learning_rate=0.03"),
        ("loss=focal", "seed=2"),
    ]
    jobs = [job(*one, "model.dropout=0.2", *more) for one in words]
    kept = [validated(train(*one, "", graphs=graphs)) for one in jobs]
    for _ in range(2):  # the second time, graphs and first weights are there
        again = [validated(train(*one, "", graphs=graphs, keep_model=False)) for one in jobs]
        assert again == kept
    assert len(set(map(str, kept))) == len(jobs)


def test_a_monitor_of_training_is_measured_where_no_model_is_kept(job, graphs):
    config, dataset = job("training.monitor=f1_macro")
    trained = train(config, dataset, "", graphs=graphs, keep_model=False)
    assert trained.best_value == max(row["f1_macro"] for row in trained.history)


def validated(trained):
    """All that a run comes to, but for what is measured in training steps or of each class."""
    weights, state, *logits, history, best, own, epochs, crossfit = bits(trained)
    kept = ("val_loss", "val_f1_macro")
    rows = [{name: row[name] for name in kept} for row in history]
    return weights, state, logits, rows, best, own, epochs, crossfit


def test_the_graph_that_was_not_used_for_longest_goes_first(job):
    graphs = GraphCache(most=2)
    jobs = [job(f"model.hidden=[{width}]", "training.epochs=1") for width in (3, 4, 5)]
    three, four = (graphs.get(*one) for one in jobs[:2])
    assert graphs.get(*jobs[0]) is three
    graphs.get(*jobs[2])
    assert len(graphs) == 2
    assert graphs.get(*jobs[0]) is three
    assert graphs.get(*jobs[1]) is not four


# --- what cannot be shared ----------------------------------------------------------------------
class OwnStep(ClippedModel):
    """Trains in a way that nobody else knows."""

    def train_step(self, data):
        return super().train_step(data)


def own_step(input_shape, num_classes, **_):
    inputs = keras.Input(input_shape)
    return OwnStep(inputs, keras.layers.Dense(num_classes)(inputs), clip_norm=None)


class Noisy(keras.losses.Loss):
    """Draws from TensorFlow's own generator, whose state no variable holds."""

    def call(self, y_true, y_pred):
        return tf.random.uniform(()) * tf.reduce_mean(tf.square(y_pred), axis=-1)


class Foreign(keras.losses.Loss):
    """Calls Python back from the graph."""

    def call(self, y_true, y_pred):
        def squared(values):
            return np.square(values).mean(-1)

        foreign = tf.ensure_shape(tf.numpy_function(squared, [y_pred], tf.float32), [None])
        return foreign + keras.ops.mean(keras.ops.square(y_pred), axis=-1)


class OnceOnly(keras.losses.Loss):
    """Fails in the first graph that is traced of it, and in no other."""

    calls = 0

    def call(self, y_true, y_pred):
        OnceOnly.calls += 1
        if OnceOnly.calls == 1:
            raise RuntimeError("not now")
        return keras.ops.mean(keras.ops.square(y_pred), axis=-1)


def with_part(made, key, part):
    config, dataset = made
    target = f"{__name__}.{part.__name__}"
    if key == "model":
        return {**config, "model": {**config["model"], "_target_": target}}, dataset
    return {**config, "loss": {**config["loss"], "fn": {"_target_": target}}}, dataset


@pytest.mark.parametrize(
    ("key", "part", "reason"),
    [
        ("model", own_step, "OwnStep has a train_step of its own"),
        ("loss", Noisy, "RandomUniform"),
        ("loss", Foreign, "PyFunc"),
    ],
    ids=["a training step of its own", "unseeded draws", "Python in the graph"],
)
def test_what_a_graph_cannot_hold_is_left_to_fit_and_trains_the_same_each_time(
    job, graphs, key, part, reason
):
    config, dataset = with_part(job(), key, part)
    first, second = (train(config, dataset, "", graphs=graphs) for _ in range(2))
    assert reason in graphs.get(config, dataset)
    assert len(graphs) == 1
    assert bits(first) == bits(second)


def test_a_failure_while_tracing_is_no_secret(job, graphs):
    OnceOnly.calls = 0
    config, dataset = with_part(job(), "loss", OnceOnly)
    with pytest.warns(UserWarning, match="tracing the shared graph failed: RuntimeError: not now"):
        trained = train(config, dataset, "", graphs=graphs)
    assert len(trained.history) == 2, "fit has trained it"


def test_the_compiler_is_left_to_fit(job, graphs):
    train(*job("training.jit_compile=true", "training.deterministic=false"), "", graphs=graphs)
    assert len(graphs) == 0


def test_a_model_that_was_not_built_by_the_project_can_be_traced(job):
    config, dataset = job()
    graph = TrainingGraph(build_model(config, dataset), dataset, 32)
    assert graph.predict(dataset.x_test).shape == (len(dataset.y_test), 2)
