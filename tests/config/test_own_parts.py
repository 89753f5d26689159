"""A user's own loss, metric or data fits in by its ``_target_``, with no change to the project."""

import sys

import numpy as np
import pytest

from src.config.check import check
from src.data.dataset import Dataset
from src.engine.build import build, load_dataset
from src.errors import UserError
from src.runs.identity import code_of, run_identity

MODULE = '''
import numpy as np
import keras

from src.data.dataset import Dataset


class Steep(keras.losses.SparseCategoricalCrossentropy):
    """Cross-entropy times a factor."""

    def __init__(self, factor, name="steep"):
        super().__init__(from_logits=True, name=name)
        self.factor = factor

    def call(self, y_true, y_pred):
        return self.factor * super().call(y_true, y_pred)


def two_points(seed, copies):
    x = np.repeat(np.float32([[0, 1], [1, 0]]), copies, axis=0)
    y = np.repeat([0, 1], copies)
    return Dataset(x, y, x, y, x, y, ("left", "right"), "two points", "own_parts.two_points")


def not_a_dataset(seed):
    return 5
'''

LOSS = """\
# A loss of one's own.
name: steep
gamma: 0.0
alpha: null
fn: {_target_: own_parts.Steep, factor: 3.0}
"""


@pytest.fixture
def own_parts(tmp_path, monkeypatch):
    """A module ``own_parts`` and a folder of configs that names it."""
    (tmp_path / "own_parts.py").write_text(MODULE)
    (tmp_path / "conf" / "loss").mkdir(parents=True)
    (tmp_path / "conf" / "loss" / "steep.yaml").write_text(LOSS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_parts", raising=False)
    return tmp_path


@pytest.fixture
def steep(own_parts, composer):
    """The words that choose the own loss from the own folder."""
    return f"hydra.searchpath=[file://{own_parts / 'conf'}]", "loss=steep"


def test_an_own_loss_given_by_a_config_file_is_built_and_computes(steep, composer, resolved):
    check(composer(*steep))
    loss = build(resolved(*steep)["loss"]["fn"], "loss.fn")
    y, logits = np.array([1, 0]), np.array([[0.0, 0.0], [0.0, 0.0]], "float32")
    assert float(loss(y, logits)) == pytest.approx(3 * np.log(2))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("name: own\ngamma: '2.5'", None),  # text that reads as a number
        ("name: own\nother: 1", None),
        ("gamma: -1", "loss.gamma=-1: must be greater than or equal to 0"),
        ("gamma: many", "loss.gamma=many: must be a valid number"),
        ("fn: 3", "loss.fn=3: needs a _target_: the dotted path of a class or function"),
        (
            "# @package _global_\nloss: 5",
            "loss=5: must be a mapping with the keys of LossConfig",
        ),
    ],
)
def test_the_knobs_of_an_own_loss_are_checked_like_any_others(own_parts, composer, written, said):
    (own_parts / "conf" / "loss" / "own.yaml").write_text(f"{written}\n")
    cfg = composer(f"hydra.searchpath=[file://{own_parts / 'conf'}]", "loss=own")
    if said is None:
        assert check(cfg)["loss"]["name"] == "own"
        return
    with pytest.raises(UserError) as caught:
        check(cfg)
    assert str(caught.value) == said


def test_an_own_loss_given_by_overrides_is_the_same(steep, composer, resolved):
    words = ("loss.fn._target_=own_parts.Steep", "~loss.fn.from_logits", "+loss.fn.factor=3.0")
    check(composer(*words))
    assert resolved(*words)["loss"]["fn"] == resolved(*steep)["loss"]["fn"]


def test_own_data_give_the_data_set(own_parts, composer, resolved):
    (own_parts / "conf" / "data").mkdir()
    (own_parts / "conf" / "data" / "points.yaml").write_text(
        "name: points\n_target_: own_parts.two_points\nseed: ${seed}\ncopies: 4\n"
    )
    words = (f"hydra.searchpath=[file://{own_parts / 'conf'}]", "data=points")
    check(composer(*words))
    dataset = load_dataset(resolved(*words)["data"])
    assert isinstance(dataset, Dataset)
    assert dataset.class_counts == (4, 4)


def test_data_that_are_no_data_set_are_refused(own_parts):
    node = {"name": "odd", "_target_": "own_parts.not_a_dataset", "seed": 0}
    with pytest.raises(UserError, match=r"own_parts\.not_a_dataset.*Dataset.*int"):
        load_dataset(node)


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ({"_target_": "own_parts.Stepe", "factor": 3.0}, "own_parts.Stepe.*cannot be imported"),
        ({"_target_": "own_prats.Steep", "factor": 3.0}, "own_prats.Steep.*cannot be imported"),
        ({"_target_": "own_parts.Steep"}, "own_parts.Steep.*factor"),
        ({"_target_": "own_parts.Steep", "factor": 1.0, "gama": 2}, "own_parts.Steep.*gama"),
    ],
)
def test_an_own_part_that_cannot_be_built_is_named(own_parts, node, words):
    with pytest.raises(UserError, match=f"loss.fn.*{words}"):
        build(node, "loss.fn")


OWN = {
    "own_changing.py": f"import own_helper\n{MODULE}",
    "own_helper.py": "from own_package import deep\n\nFACTOR = 2\n",
    "own_package/deep.py": "EXPONENT = 2\n",
}


@pytest.fixture
def identity_with(resolved, tmp_path, monkeypatch):
    """The identity of a run whose own modules, in a folder of their own, have these texts."""
    data = load_dataset(resolved("data.n_samples=200", "data.minority_fraction=0.3")["data"])
    config = resolved("loss.fn._target_=own_changing.Steep", "~loss.fn.from_logits")

    def identity(name, **changed):
        for file, text in {**OWN, **changed}.items():
            place = tmp_path / name / file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        with monkeypatch.context() as patch:
            patch.syspath_prepend(tmp_path / name)
            return run_identity(config, data)

    return identity


@pytest.mark.parametrize("file", OWN)
def test_a_change_in_the_own_code_or_in_what_it_imports_makes_another_experiment(
    identity_with, file
):
    before = identity_with("before")
    remarks = f'"""What it is for."""\n{OWN[file]}\n# a remark\n'
    assert identity_with("remarks", **{file: remarks}) == before
    assert identity_with("more", **{file: f"{OWN[file]}ONE_MORE = 1\n"}) != before


def test_own_code_within_the_project_counts_too(resolved):
    config = resolved()
    before = code_of(config)
    config["loss"]["fn"]["_target_"] = "src.data.tabular.labels.anything"
    assert code_of(config) != before
