"""Runs that share a graph have the bits that ``fit`` gives each alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from src.components import ClippedModel
from src.engine import prebuild as ahead
from src.engine import shared_graph as graph
from src.engine.fit import train
from src.engine.model import build_model
from src.engine.shared_graph import shared_graph
from tests.engine.by_fit import SeesBatches, bits

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def nothing_kept():
    """Each test traces its own."""
    graph._graphs.clear()
    ahead._waiting.clear()


# --- the same bits ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "words",
    [
        ("loss=focal", "model.dropout=0.3", "training.precision=mixed_float16"),
        ("loss=ldam", "model=cosine", "model.clip_norm=1", "metric=imbalance"),
        ("loss=asymmetric", "loss.gamma_neg=3", "loss.gamma_pos=0.7"),
        ("model=cnn", "data=digits", "training.epochs=1"),
        ("training.optimizer._target_=keras.optimizers.AdamW", "+training.optimizer.use_ema=true"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_a_shared_graph_gives_the_bits_of_fit(job, words):
    config, dataset = job(*words)
    by_fit = train(config, dataset, "fit", [SeesBatches()])
    assert not graph._graphs
    by_graph = train(config, dataset, "graph")
    assert [kept is not None for kept in graph._graphs.values()] == [True]
    assert bits(by_graph) == bits(by_fit)
    assert list(by_graph.history[0]) == list(by_fit.history[0])


def test_predictions_are_those_of_keras(job):
    trained = train(*(made := job()), "")
    by_keras = trained.model.predict(made[1].x_test, batch_size=1024, verbose=0)
    assert trained.test_logits.tobytes() == by_keras.tobytes()


def test_a_run_has_the_same_bits_alone_and_among_any_neighbours(job):
    seeds = [job(f"seed={seed}", "model.dropout=0.2") for seed in range(4)]
    configs = [config for config, _ in seeds]
    alone = bits(train(*seeds[2], ""))
    in_order = [train(*one, "", coming=configs[number + 1 :]) for number, one in enumerate(seeds)]
    backwards = [train(*one, "") for one in reversed(seeds)]
    assert len(graph._graphs) == 1, "all of them share one graph"
    assert bits(in_order[2]) == alone
    for one, again in zip(in_order, reversed(backwards), strict=True):
        assert bits(one) == bits(again)
    assert len({bits(one)[2] for one in in_order}) == len(seeds)


def test_every_run_goes_back_to_its_own_best_epoch(job):
    words = ("training.epochs=6", "training.learning_rate=0.1")
    runs = [train(*job(f"seed={seed}", *words), "") for seed in range(3)]
    for trained in runs:
        by_epoch = [row["val_f1_macro"] for row in trained.history]
        assert trained.best_epoch == int(np.argmax(by_epoch)) + 1
    assert len({trained.best_epoch for trained in runs}) > 1, "else it shows nothing"


def test_a_model_stays_as_it_was_when_the_next_run_is_trained(job):
    first = train(*job("seed=0"), "")
    before = bits(first)
    train(*job("seed=1"), "")
    assert bits(first) == before


# --- jobs to come -------------------------------------------------------------------------------
def test_a_job_to_come_that_cannot_be_built_spoils_no_other(job):
    good, later = job("seed=0"), job("seed=1")
    broken = {**later[0], "loss": {**later[0]["loss"], "fn": {"_target_": "src.components.No"}}}
    alone = bits(train(*good, ""))
    assert bits(train(*good, "", coming=[broken, later[0]])) == alone
    assert len(ahead._waiting) == 1


def test_models_are_built_ahead_in_bounded_number_and_for_the_jobs_that_come_next(job, monkeypatch):
    monkeypatch.setattr(ahead, "MOST", 3)
    config, dataset = job("seed=0")
    coming = [job(f"seed={seed}")[0] for seed in range(1, 6)]
    other = [job("seed=1", word)[0] for word in ("data.n_samples=400", "model.hidden=[5]")]
    train(config, dataset, "", coming=[*other, *coming])
    assert len(ahead._waiting) == 0, "the next job has other data: a model for later is not kept"
    train(config, dataset, "", coming=[*coming[:2], *other, *coming[2:]])
    assert len(ahead._waiting) == 2
    train(*job("seed=9"), "", coming=[*coming, *other])
    assert len(ahead._waiting) == 3
    train(*job("seed=2"), "")
    assert len(ahead._waiting) == 2


def test_graphs_are_kept_in_bounded_number(job, monkeypatch):
    monkeypatch.setattr(graph, "MOST_GRAPHS", 2)
    for width in (3, 4, 5):
        train(*job(f"model.hidden=[{width}]", "training.epochs=1"), "")
    assert ["[5]" in key for key in graph._graphs] == [False, True]


# --- what cannot be shared ----------------------------------------------------------------------
class OwnStep(ClippedModel):
    """Trains in a way that nobody else knows."""

    def train_step(self, data):
        return super().train_step(data)


@keras.saving.register_keras_serializable(package="tests")
class Noisy(keras.losses.Loss):
    """Draws from TensorFlow's own generator, whose state no variable holds."""

    def call(self, y_true, y_pred):
        return tf.random.uniform(()) * tf.reduce_mean(tf.square(y_pred), axis=-1)


class Foreign(keras.losses.Loss):
    """Calls Python back from the graph."""

    def call(self, y_true, y_pred):
        def squared(values):
            return np.square(values).mean(-1)

        return tf.ensure_shape(tf.numpy_function(squared, [y_pred], tf.float32), [None])


def own_step(model):
    own = OwnStep(model.inputs, model.outputs)
    own.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return own


def with_loss(loss):
    def changed(model):
        model.compile("adam", loss)
        return model

    return changed


@pytest.mark.parametrize(
    "change",
    [own_step, with_loss(Noisy()), with_loss(Foreign())],
    ids=["a training step of its own", "unseeded draws", "Python in the graph"],
)
def test_what_a_graph_cannot_hold_is_left_to_fit(job, change):
    config, dataset = job()
    assert shared_graph(config, dataset, [], lambda: change(build_model(config, dataset))) is None


def test_the_compiler_is_left_to_fit(job):
    config, dataset = job("training.jit_compile=true", "training.deterministic=false")
    assert shared_graph(config, dataset, [], lambda: build_model(config, dataset)) is None


def test_fit_trains_a_run_that_cannot_be_shared_and_the_same_each_time(job):
    config, dataset = job()
    config["loss"]["fn"] = {"_target_": f"{__name__}.Noisy"}
    first, second = train(config, dataset, ""), train(config, dataset, "")
    assert list(graph._graphs.values()) == [None]
    assert bits(first) == bits(second)
