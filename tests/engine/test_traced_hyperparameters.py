"""Runs that differ in hyperparameters of their loss share a graph, with the bits of ``fit``."""

import keras
import pytest

from src import components
from src.components import LDAMLoss, SparseCategoricalFocalLoss
from src.engine.fit import train
from src.engine.graph_cache import graph_key
from src.engine.traced_hyperparameters import DECLARED
from src.errors import UserError
from tests.engine.by_fit import SeesBatches, bits

pytestmark = pytest.mark.slow


# --- the same bits ------------------------------------------------------------------------------
FOCAL = ("loss.gamma=3", "loss.gamma=0.3 loss.alpha=0.7", "loss.gamma=0")
BFLOAT16 = "training.precision=mixed_bfloat16"


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("loss=focal model.dropout=0.2", FOCAL),
        ("loss=focal loss.fn.from_logits=false", FOCAL[1:]),
        ("loss=focal model=cosine", ("loss.alpha=[0.2,0.7]", "loss.gamma=0.7 loss.alpha=[1,3.3]")),
        (f"loss=class_balanced_focal model=cosine model.clip_norm=1 {BFLOAT16}",
         ("loss.beta=0.99 loss.gamma=0.7", "loss.beta=0 loss.gamma=0")),
        ("loss=weighted_ce", ("loss.fn.class_counts=[100,30]", "data.minority_fraction=0.1")),
        ("loss=logit_adjusted", ("loss.tau=1", "loss.tau=0.3")),
        ("loss=ldam model=cosine", ("loss.scale=1", "loss.scale=7.7 loss.max_margin=0.3")),
        ("loss=ldam_drw model=cosine training.epochs=2 loss.defer=0.5",
         ("loss.scale=1", "loss.scale=7.7 loss.max_margin=0.3 loss.beta=0.99")),
        ("loss=poly", ("loss.epsilon=2", "loss.epsilon=-1")),
        ("loss=asymmetric", ("loss.gamma_neg=3 loss.margin=0", "loss.gamma_pos=1.3")),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)  # fmt: skip
def test_hyperparameters_share_a_graph_and_have_the_bits_of_fit(job, graphs, words, values):
    jobs = [job(*words.split(), *value.split()) for value in values]
    by_fit = [bits(train(*one, "", [SeesBatches()])) for one in jobs[1:]]
    in_order = [bits(train(*one, "", graphs=graphs)) for one in jobs]
    first = graphs.get(*jobs[0])
    assert bits(train(*jobs[0], "", graphs=graphs)) == in_order[0], "after others as at first"
    assert len(graphs) == 1, "nothing was traced anew"
    assert graphs.get(*jobs[-1]) is first
    assert in_order[1:] == by_fit, "what the graph was not traced with"
    assert len({run[2] for run in in_order}) == len(jobs), "else it shows nothing"


def test_every_loss_of_the_project_is_declared():
    losses = {one for one in vars(components).values() if isinstance(one, type)}
    assert {one for one in losses if issubclass(one, keras.losses.Loss)} == set(DECLARED)


def test_a_model_and_its_callbacks_have_the_loss_of_its_run(job, graphs):
    class Evaluates(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            loss = self.model.evaluate(dataset.x_val, dataset.y_val, verbose=0, return_dict=True)
            seen.append((self.model.loss.gamma, loss["loss"], logs["val_loss"]))

    seen, models = [], []
    for gamma in (2, 0.5):
        config, dataset = job("loss=focal", f"loss.gamma={gamma}", "training.epochs=1")
        models.append(train(config, dataset, "", [Evaluates()], graphs=graphs).model)
    assert len(graphs) == 1
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
        ("loss=focal", "loss=focal +loss.fn.reduction=sum", False),
        ("loss=focal", "loss=focal +loss.fn.dtype=float64", False),
        ("loss=focal", "loss=focal model.hidden=[7]", False),
        ("loss=class_balanced_focal", "loss=focal", False),
        ("loss=ce", "loss=ce +loss.fn.ignore_class=1", False),
    ],
)
def test_what_makes_other_operations_makes_another_graph(job, one, other, shared):
    keys = [graph_key(*job(*words.split())) for words in (one, other)]
    assert (keys[0] == keys[1]) == shared


class Mild(SparseCategoricalFocalLoss):
    """Computes as what it inherits from, with another default."""

    def __init__(self, gamma=0.5, **kwargs):
        super().__init__(gamma, **kwargs)


class Halved(SparseCategoricalFocalLoss):
    """Computes with something else than what it inherits."""

    def __init__(self, gamma=2.0, **kwargs):
        super().__init__(gamma, **kwargs)
        self.half = gamma / 2

    def call(self, y_true, y_pred):
        return self.half * super().call(y_true, y_pred)


class Asks(SparseCategoricalFocalLoss):
    """Takes a branch of Python's by a hyperparameter."""

    def call(self, y_true, y_pred):
        return super().call(y_true, y_pred) * (2.0 if self.gamma > 1 else 0.3)


class Elsewhere(SparseCategoricalFocalLoss):
    """Keeps a hyperparameter where no variable can stand."""

    @property
    def gamma(self):
        return self.kept

    @gamma.setter
    def gamma(self, value):
        self.kept = value


class Poly1Crossentropy(keras.losses.Loss):
    """A loss of a user's own, which declares nothing."""

    def __init__(self, gamma=1.0, **kwargs):
        super().__init__(**kwargs)
        self.gamma = gamma

    def call(self, y_true, y_pred):
        entropy = keras.ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)
        return 0.7 * entropy + 3 * self.gamma * 0.1 * (1 - keras.ops.exp(-entropy)) ** self.gamma


@pytest.mark.parametrize(
    ("kind", "count"), [(Mild, 1), (Halved, 2), (Asks, 2), (Elsewhere, 2), (Poly1Crossentropy, 2)]
)
def test_any_loss_has_the_bits_of_fit_and_inherits_while_it_computes_the_same(
    job, graphs, kind, count
):
    jobs = []
    for gamma in (3.0, 0.3):
        config, dataset = job()
        fn = {"_target_": f"{__name__}.{kind.__name__}", "gamma": gamma}
        jobs.append(({**config, "loss": {**config["loss"], "fn": fn}}, dataset))
    first, second = (bits(train(*one, "", graphs=graphs)) for one in jobs)
    assert second == bits(train(*jobs[1], "", [SeesBatches()]))
    assert first != second
    assert len(graphs) == count


def test_a_loss_is_itself_again_when_it_was_traced(job, graphs):
    loss = graphs.get(*(made := job("loss=ldam", "loss.scale=3"))).model.loss
    assert isinstance(loss, LDAMLoss)
    assert (loss.scale, loss.margins) == (3.0, LDAMLoss(list(made[1].class_counts)).margins)


def test_a_wrong_hyperparameter_is_a_mistake_of_the_user(job):
    config, dataset = job("loss=focal")
    config["loss"] = {**config["loss"], "fn": {**config["loss"]["fn"], "gamma": -1}}
    with pytest.raises(UserError, match="gamma"):
        train(config, dataset, "")
