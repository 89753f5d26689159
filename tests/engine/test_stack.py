"""Runs that are trained together are, each, near the same run alone, and depend on no sweep."""

import logging

import keras
import numpy as np
import pytest
import tensorflow as tf

from src.components import ClippedModel
from src.engine import prebuild as ahead
from src.engine import shared_graph as graph
from src.engine import stack, stacked_graph
from src.engine.fit import train
from src.engine.short_loss import short_cross_entropy
from src.engine.stack import block_of, replica_of
from src.engine.stacked_optimizer import ELEMENTWISE, NotStackableError, StackedOptimizer

TOLERANCE = 1e-4
"""Of every logged number, weight and logit after a few epochs, as docs/stacked.md says."""


@pytest.fixture(autouse=True)
def nothing_kept():
    """Each test traces its own."""
    for kept in (graph._graphs, ahead._waiting, stack._graphs, stack._blocks):
        kept.clear()


def numbers(trained):
    """All that a run comes to; copied, since the model of a stack is the next run's as well."""
    return {
        "weights": trained.model.get_weights(),
        "optimizer": [np.array(variable) for variable in trained.model.optimizer.variables],
        "random": [
            np.array(v) for v in trained.model.variables if v.name == "seed_generator_state"
        ],
        "logits": [trained.val_logits, trained.test_logits],
        "history": [list(row.values()) for row in trained.history],
        "best": (trained.best_epoch, trained.best_value),
    }


def bits(trained):
    found = numbers(trained)
    return [np.asarray(part).tobytes() for part in (*found["weights"], *found["optimizer"])] + [
        trained.val_logits.tobytes(),
        trained.test_logits.tobytes(),
        repr(trained.history),
        (trained.best_epoch, trained.best_value),
    ]


# --- near the same run alone --------------------------------------------------------------------
@pytest.mark.parametrize(
    "words",
    [
        ("loss=focal", "model.dropout=0.3", "training.batch_size=64"),
        ("loss=ldam", "model=cosine", "model.clip_norm=1", "metric=imbalance"),
        ("loss=ce", "data=digits", "model.hidden=[16,16]"),
        ("training.optimizer._target_=keras.optimizers.AdamW", "+training.optimizer.use_ema=true"),
        ("training.precision=mixed_bfloat16", "loss=class_balanced_focal"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_each_run_of_a_stack_is_near_the_same_run_alone(job, words):
    tolerance = 2e-2 if "training.precision=mixed_bfloat16" in words else TOLERANCE
    alone = train(*job(*words, "seed=2"), "")
    config, dataset = job(*words, "seed=2", "training.stack=3")
    stacked = train(config, dataset, "")
    assert replica_of(config, dataset, []) is not None, "it was trained in a stack"
    assert [list(row) for row in stacked.history] == [list(row) for row in alone.history]
    mine, other = numbers(stacked), numbers(alone)
    assert mine["best"][0] == other["best"][0]
    assert len(mine["random"]) == len(other["random"])
    for part in ("random", "weights", "optimizer", "logits", "history"):
        for a, b in zip(mine[part], other[part], strict=True):
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=part)


def test_a_network_of_convolutions_can_be_stacked(job):
    words = ("data=digits", "model=cnn", "model.filters=[4]", "model.dense=8", "training.epochs=1")
    alone = train(*job(*words, "seed=1"), "")
    stacked = train(*job(*words, "seed=1", "training.stack=2"), "")
    assert list(stack._blocks.values()) != [None]
    np.testing.assert_allclose(stacked.test_logits, alone.test_logits, atol=TOLERANCE)


def test_the_saved_model_is_that_run(job, tmp_path):
    runs = {}
    for seed in (0, 1):
        config, dataset = job(f"seed={seed}", "training.stack=2")
        trained = train(config, dataset, "")
        trained.model.save(tmp_path / f"{seed}.keras")
        runs[seed] = (dataset, trained, numbers(trained))
    for seed, (dataset, trained, found) in runs.items():
        loaded = keras.models.load_model(tmp_path / f"{seed}.keras")
        logits = loaded.predict(dataset.x_test, verbose=0)
        np.testing.assert_allclose(logits, trained.test_logits, atol=1e-6)
        for variable, value in zip(loaded.optimizer.variables, found["optimizer"], strict=True):
            np.testing.assert_array_equal(variable, value)


def test_blocks_of_other_numbers_of_a_loss_share_a_graph(job, tmp_path):
    words = ("loss=focal", "training.stack=2", "training.epochs=3")
    values = ((2, 0.25), (0, 0.25), (0.3, 0.7))
    numbered = [(f"loss.gamma={gamma}", f"loss.alpha={alpha}") for gamma, alpha in values]
    jobs = [job(*words, *one, f"seed={seed}") for one in numbered for seed in (0, 1)]
    alone = []
    for number, one in enumerate(jobs):
        if number % 2 == 0:  # each block in a graph of its own
            stack._graphs.clear()
            stack._blocks.clear()
        alone.append(bits(train(*one, "")))
    stack._graphs.clear()
    stack._blocks.clear()
    turns = [0, 2, 4, 3, 1, 5]
    for number in turns:
        trained = train(*jobs[number], "")
        assert bits(trained) == alone[number]
        trained.model.save(tmp_path / f"{number}.keras")
    assert len(stack._graphs) == 1
    assert len(stack._blocks) == len(values)
    for number in turns:
        loaded = keras.models.load_model(tmp_path / f"{number}.keras").loss
        assert (loaded.gamma, loaded.alpha) == values[number // 2]
    for number in (2, 4):
        by_itself = train(*job(*words, *numbered[number // 2], "training.stack=1", "seed=0"), "")
        trained = train(*jobs[number], "")
        np.testing.assert_allclose(trained.test_logits, by_itself.test_logits, atol=TOLERANCE)
        assert trained.history[-1]["val_loss"] == pytest.approx(by_itself.history[-1]["val_loss"])


# --- the same in any sweep ----------------------------------------------------------------------
def test_a_run_has_the_same_bits_alone_and_in_any_order(job):
    jobs = [job(f"seed={seed}", "model.dropout=0.2", "training.stack=3") for seed in range(6)]
    alone = bits(train(*jobs[4], ""))
    stack._blocks.clear()
    in_order = [bits(train(*one, "")) for one in jobs]
    assert len(stack._graphs) == 1, "blocks share a graph"
    assert len(stack._blocks) == 2
    assert in_order[4] == alone
    stack._blocks.clear()
    mixed = {seed: bits(train(*jobs[seed], "")) for seed in (5, 0, 4, 2, 3, 1)}
    assert [mixed[seed] for seed in range(6)] == in_order
    assert len({run[-2] for run in in_order}) == 6, "else it shows nothing"


def test_blocks_that_share_a_graph_may_take_turns(job):
    """One is trained to its second epoch, then the other, and then the first goes on."""
    words = ("training.stack=2", "training.epochs=4")
    whole = bits(train(*job("seed=0", *words), ""))
    stack._blocks.clear()
    train(*job("seed=0", "training.stack=2", "training.epochs=2"), "")
    train(*job("seed=2", *words), "")
    assert bits(train(*job("seed=0", *words), "")) == whole


def test_a_block_is_trained_no_further_than_a_run_of_it_needs(job):
    words = ("training.epochs=50", "training.patience=2", "training.learning_rate=0.1")
    trained = train(*job("seed=1", "training.stack=4", *words), "")
    block = next(iter(stack._blocks.values()))
    assert len(trained.history) < 50
    assert len(block.epochs) == len(trained.history)


def test_every_run_goes_back_to_its_own_best_epoch(job):
    words = ("training.epochs=6", "training.learning_rate=0.1", "training.stack=3")
    runs = [train(*job(f"seed={seed}", *words), "") for seed in range(3)]
    for trained in runs:
        by_epoch = [row["val_f1_macro"] for row in trained.history]
        assert trained.best_epoch == int(np.argmax(by_epoch)) + 1
    assert len({trained.best_epoch for trained in runs}) > 1, "else it shows nothing"


def test_a_block_whose_data_have_changed_is_trained_anew(job):
    config, dataset = job("seed=0", "training.stack=2")
    train(config, dataset, "")
    first = next(iter(stack._blocks.values()))
    other, changed = job("seed=0", "training.stack=2", "data.minority_fraction=0.25")
    again = replica_of({**other, "data": config["data"]}, changed, [])
    assert again is None or again.block is not first


@pytest.mark.parametrize(
    ("seed", "size", "block"),
    [
        (0, 3, [0, 1, 2]),
        (5, 3, [3, 4, 5]),
        (7, 1, [7]),
        (2**32 - 1, 10, list(range(2**32 - 6, 2**32))),
    ],
)
def test_blocks_begin_at_multiples_of_their_size(seed, size, block):
    assert block_of(seed, size) == block


def test_data_of_a_fixed_seed_are_the_same_for_all(job):
    config, dataset = job("seed=1", "data.seed=7", "training.stack=3")
    block = replica_of(config, dataset, []).block
    assert block.fingerprints == [dataset.fingerprint] * 3


def test_cross_entropy_in_fewer_operations_has_the_bits_of_keras():
    tf.config.experimental.enable_op_determinism()
    rng = np.random.default_rng(0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    x, y = tf.Variable(np.float32(rng.normal(size=(50, 7)) * 20)), rng.integers(0, 7, 50)

    def found():
        with tf.GradientTape() as tape:
            value = loss(y, x)
        return value.numpy(), tape.gradient(value, x).numpy()

    by_keras = found()
    with short_cross_entropy():
        ours = found()
        graph_of_ours = tf.function(lambda: loss(y, x)).get_concrete_function().graph
    assert [part.tobytes() for part in ours] == [part.tobytes() for part in by_keras]
    assert "GatherV2" not in {operation.type for operation in graph_of_ours.get_operations()}
    with pytest.raises(KeyError), short_cross_entropy():
        raise KeyError
    by_tensorflow = tf.function(lambda: loss(y, x)).get_concrete_function().graph
    assert "GatherV2" in {operation.type for operation in by_tensorflow.get_operations()}


# --- what cannot be stacked ---------------------------------------------------------------------
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("training.optimizer._target_=keras.optimizers.Lamb",), "Lamb"),
        (("+training.optimizer.global_clipnorm=1.0",), "clips by a norm"),
        (("training.precision=mixed_float16",), "LossScaleOptimizer"),
    ],
)
def test_what_cannot_be_stacked_is_trained_alone_and_says_so(job, caplog, words, reason):
    alone = bits(train(*job("seed=1", *words), ""))
    with caplog.at_level(logging.WARNING):
        stacked = bits(train(*job("seed=1", "training.stack=2", *words), ""))
    assert stacked == alone
    assert "training.stack=2: trained one by one" in caplog.text
    assert reason in caplog.text


@pytest.mark.parametrize(
    ("name", "limit"), [("data", 1000), ("epochs", 200_000)], ids=["data", "epochs"]
)
def test_what_does_not_fit_into_memory_is_trained_alone(job, caplog, monkeypatch, name, limit):
    monkeypatch.setattr(stack, "MOST_BYTES", limit)
    config, dataset = job("seed=1", "training.stack=2", "training.epochs=20")
    assert replica_of(config, dataset, []) is None
    assert "data and epochs take" in caplog.text
    assert (name == "data") == (not stack._graphs), "data is looked at before anything is traced"


def test_only_so_many_blocks_are_kept_as_fit_into_memory(job, monkeypatch):
    config, dataset = job("seed=0", "training.stack=2")
    size = replica_of(config, dataset, []).block.most_bytes
    monkeypatch.setattr(stack, "MOST_BYTES", int(2.5 * size))
    for seed in (2, 4, 6):
        assert replica_of(*job(f"seed={seed}", "training.stack=2"), []) is not None
    assert [block.seeds[0] for block in stack._blocks.values()] == [4, 6]


def test_data_that_differ_in_shape_are_not_stacked(job, caplog, monkeypatch):
    config, dataset = job("seed=0", "training.stack=2")
    _, longer = job("seed=1", "data.n_samples=400")
    monkeypatch.setattr(stack, "load_datasets", lambda node, seeds: [dataset, longer])
    assert replica_of(config, dataset, []) is None
    assert "differ in shape" in caplog.text


class OwnStep(ClippedModel):
    """Trains in a way that nobody else knows."""

    def train_step(self, data):
        return super().train_step(data)


def network(of=keras.Model, **layer):
    inputs = keras.Input((10,))
    model = of(inputs, keras.layers.Dense(2, **layer)(inputs))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (lambda: network(OwnStep), "training step of its own"),
        (lambda: network(kernel_regularizer="l2"), "regularizer"),
        (lambda: network(activity_regularizer="l2"), "losses of their own"),
        (lambda: network(kernel_constraint="max_norm"), "constraint"),
    ],
)
def test_models_that_would_train_otherwise_are_refused(job, model, reason):
    _, dataset = job()
    with pytest.raises(NotStackableError, match=reason):
        stacked_graph.StackedGraph(model(), dataset, 2, 32)


def test_a_stack_of_plain_keras_models_is_trained_too(job):
    _, dataset = job()
    made = stacked_graph.StackedGraph(network(), dataset, 2, 32)
    assert made.model.metrics_names == ["loss"]


def test_mistakes_are_said_as_without_a_stack(job):
    from src.errors import UserError

    config, dataset = job("training.stack=2")
    config["loss"] = {**config["loss"], "fn": {"_target_": "src.components.NoSuchLoss"}}
    with pytest.raises(UserError, match="NoSuchLoss"):
        train(config, dataset, "")


# --- the optimizer of all -----------------------------------------------------------------------
@pytest.mark.parametrize("kind", sorted(ELEMENTWISE, key=lambda one: one.__name__))
def test_one_variable_is_updated_as_its_weights_would_be(kind):
    rng = np.random.default_rng(0)
    shapes = [(3, 2), (2,), (2, 4)]
    first = [rng.normal(size=(2, *shape)).astype("float32") for shape in shapes]
    steps = [[rng.normal(size=v.shape).astype("float32") for v in first] for _ in range(3)]
    models = [[keras.Variable(v[r], name=f"w{i}") for i, v in enumerate(first)] for r in (0, 1)]
    optimizers = [kind(0.01, weight_decay=0.1) for _ in models]
    for optimizer, weights in zip(optimizers, models, strict=True):
        optimizer.build(weights)
    stacked = StackedOptimizer(optimizers[0], models[0], 2)
    stacked.weights.assign(stacked.joined(first))
    for gradients in steps:
        stacked.apply(gradients)
        for r, (optimizer, weights) in enumerate(zip(optimizers, models, strict=True)):
            optimizer.apply([gradient[r] for gradient in gradients], weights)
    values = [variable.value for variable in stacked.variables]
    for r in (0, 1):
        mine_of_all = stacked.parted(stacked.weights.value)
        for part, mine in zip(mine_of_all, stacked.picked(r, stacked.weights.value), strict=True):
            np.testing.assert_array_equal(part[r], mine)
        for mine, weight in zip(stacked.picked(r, stacked.weights.value), models[r], strict=True):
            np.testing.assert_allclose(mine, weight, rtol=1e-6, atol=1e-7)
        of_one = stacked.of_replica(r, values)
        for mine, variable in zip(of_one, optimizers[r].variables, strict=True):
            np.testing.assert_allclose(mine, variable, rtol=1e-6, atol=1e-7)
