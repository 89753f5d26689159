"""Runs that differ in the numbers of their loss share one graph, each with the bits of ``fit``."""

import keras
import pytest

from src.components import LDAMLoss, SparseCategoricalFocalLoss
from src.engine import prebuild as ahead
from src.engine import shared_graph as graph
from src.engine.fit import train
from src.engine.model import build_model
from src.engine.shared_graph import computation_key, shape_key, shared_graph
from tests.engine.by_fit import SeesBatches, bits

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def nothing_kept():
    """Each test traces its own."""
    graph._graphs.clear()
    ahead._waiting.clear()


# --- the same bits ------------------------------------------------------------------------------
FOCAL = ("loss.gamma=0", "loss.gamma=0.3 loss.alpha=0.7", "loss.gamma=3")
BFLOAT16 = "training.precision=mixed_bfloat16"


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("loss=focal model.dropout=0.2", FOCAL),
        ("loss=focal model=cosine", ("loss.alpha=[0.2,0.7]", "loss.gamma=0.7 loss.alpha=[1,3.3]")),
        (f"loss=class_balanced_focal model=cosine model.clip_norm=1 {BFLOAT16}",
         ("loss.beta=0.99 loss.gamma=0.7", "loss.beta=0 loss.gamma=0")),
        ("loss=weighted_ce", ("loss.fn.class_counts=[100,30]", "data.minority_fraction=0.1")),
        ("loss=ldam model=cosine", ("loss.scale=1", "loss.scale=7.7 loss.max_margin=0.3")),
        ("loss=asymmetric loss.margin=0", ("loss.gamma_neg=3", "loss.gamma_pos=1.3")),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)  # fmt: skip
def test_numbers_of_a_loss_share_a_graph_and_have_the_bits_of_fit(job, words, values):
    jobs = [job(*words.split(), *value.split()) for value in values]
    by_fit = [bits(train(*one, "", [SeesBatches()])) for one in jobs]
    assert not graph._graphs
    in_order = [bits(train(*one, "")) for one in jobs]
    (first,) = graph._graphs.values()
    backwards = [bits(train(*one, "")) for one in reversed(jobs)]
    assert first is not None
    assert list(graph._graphs.values()) == [first], "nothing was traced anew"
    assert in_order == by_fit
    assert backwards[::-1] == by_fit
    assert len({run[2] for run in by_fit}) == len(jobs), "else it shows nothing"


def test_a_model_and_its_callbacks_have_the_loss_of_its_run(job):
    class Evaluates(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            loss = self.model.evaluate(dataset.x_val, dataset.y_val, verbose=0, return_dict=True)
            seen.append((self.model.loss.gamma, loss["loss"], logs["val_loss"]))

    seen, models = [], []
    for gamma in (2, 0.5):
        config, dataset = job("loss=focal", f"loss.gamma={gamma}", "training.epochs=1")
        models.append(train(config, dataset, "", [Evaluates()]).model)
    assert len(graph._graphs) == 1
    assert [model.loss.get_config()["gamma"] for model in models] == [2, 0.5]
    assert [gamma for gamma, _, _ in seen] == [2, 0.5]
    for _, evaluated, logged in seen:
        assert evaluated == pytest.approx(logged, rel=1e-5)
    assert seen[0][1] != pytest.approx(seen[1][1], rel=0.1), "else it shows nothing"


# --- what makes another graph -------------------------------------------------------------------
@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("loss=focal", "loss=focal loss.gamma=0 loss.alpha=1", True),
        ("loss=focal loss.alpha=[1,2]", "loss=focal loss.alpha=[2,3]", True),
        ("loss=focal", "loss=focal loss.alpha=[1,2]", False),
        ("loss=focal", "loss=focal loss.alpha=null", False),
        ("loss=focal", "loss=focal loss.fn.from_logits=false", False),
        ("loss=focal loss.fn.from_logits=false",
         "loss=focal loss.fn.from_logits=false loss.gamma=1", False),
        ("loss=focal", "loss=focal +loss.fn.reduction=sum", False),
        ("loss=focal", "loss=focal model.hidden=[7]", False),
        ("loss=asymmetric", "loss=asymmetric loss.margin=0", False),
        ("loss=asymmetric", "loss=asymmetric loss.gamma_neg=3", False),
        ("loss=class_balanced_focal", "loss=focal", False),
        ("loss=ce", "loss=ce +loss.fn.ignore_class=1", False),
    ],
)  # fmt: skip
def test_what_makes_other_operations_makes_another_graph(job, one, other, shared):
    jobs = [job(*words.split()) for words in (one, other)]
    assert (len({shape_key(*one) for one in jobs}) == 1) == shared
    assert len({computation_key(*one) for one in jobs}) == 2


class Halved(SparseCategoricalFocalLoss):
    """Computes with something else than what it inherits the names of."""

    def __init__(self, gamma=2.0, **kwargs):
        super().__init__(gamma, **kwargs)
        self.half = gamma / 2

    def call(self, y_true, y_pred):
        return self.half * super().call(y_true, y_pred)


class Poly1Crossentropy(keras.losses.Loss):
    """A loss of a user's that says what its numbers are, as docs/components.md has it."""

    def __init__(self, epsilon=1.0, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def call(self, y_true, y_pred):
        entropy = keras.ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)
        return entropy + self.epsilon * (1 - keras.ops.exp(-entropy))

    def graph_numbers(self):
        return {"epsilon": self.epsilon}

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}


class Unread(Poly1Crossentropy):
    """Says that a graph may hold a number that ``call`` does not look at."""

    def __init__(self, epsilon=1.0, **kwargs):
        super().__init__(epsilon, **kwargs)
        self.factor = epsilon

    def call(self, y_true, y_pred):
        return self.factor * keras.losses.sparse_categorical_crossentropy(y_true, y_pred, True)

    def graph_numbers(self):
        return {"epsilon": self.epsilon}


class Asks(Poly1Crossentropy):
    """Takes a branch of Python's by a number that it says a graph may hold."""

    def call(self, y_true, y_pred):
        return super().call(y_true, y_pred) * (2.0 if self.epsilon > 1 else 1.0)

    def graph_numbers(self):
        return {"epsilon": self.epsilon}


def with_loss(made, kind, **arguments):
    config, dataset = made
    fn = {"_target_": f"{__name__}.{kind.__name__}", **arguments}
    return {**config, "loss": {**config["loss"], "fn": fn}}, dataset


@pytest.mark.parametrize(("kind", "shared"), [(Poly1Crossentropy, True), (Halved, False)])
def test_a_class_says_by_itself_what_its_numbers_are(job, kind, shared):
    argument = "epsilon" if shared else "gamma"
    jobs = [with_loss(job(), kind, **{argument: value}) for value in (3.0, 0.3)]
    assert (len({shape_key(*one) for one in jobs}) == 1) == shared
    by_fit = [bits(train(*one, "", [SeesBatches()])) for one in jobs]
    assert [bits(train(*one, "")) for one in jobs] == by_fit
    assert len(graph._graphs) == (1 if shared else 2)


@pytest.mark.parametrize("kind", [Unread, Asks])
def test_a_number_that_is_none_of_the_graph_leaves_the_run_to_fit(job, kind):
    config, dataset = with_loss(job(), kind)
    assert shared_graph(config, dataset, [], lambda: build_model(config, dataset)) is None


def test_a_loss_is_itself_again_when_it_was_traced(job):
    config, dataset = job("loss=ldam", "loss.scale=3")
    made = shared_graph(config, dataset, [], lambda: build_model(config, dataset))
    loss = made.model.loss
    assert isinstance(loss, LDAMLoss)
    assert (loss.scale, loss.per_class) == (3.0, LDAMLoss(list(dataset.class_counts)).per_class)


def test_a_wrong_number_is_a_mistake_of_the_user(job):
    from src.errors import UserError

    config, dataset = job("loss=focal")
    config["loss"] = {**config["loss"], "fn": {**config["loss"]["fn"], "gamma": -1}}
    with pytest.raises(UserError, match="gamma"):
        train(config, dataset, "")
