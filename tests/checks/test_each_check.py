"""Every check catches a component that is wrong in its way, and lets a right one through."""

import functools
import importlib
import random
from pathlib import Path

import keras
import numpy as np
import pytest

from src.checks import check_component, checks_of
from src.checks.construct import parameters_of
from src.checks.registry import KINDS

PLURAL = {"loss": "losses", "metric": "metrics", "layer": "layers", "model": "models"}
ROOMS = {kind: importlib.import_module(f"broken_{PLURAL[kind]}") for kind in KINDS}
# What is legal and costs something: these are found as a warning.
WARNINGS = {
    ("metric", "counts_beyond_2_to_the_24"),
    ("layer", "creates_weights_in_build"),
    ("layer", "every_weight_gets_a_gradient"),
    ("layer", "loads_without_custom_objects"),
    ("model", "loads_without_custom_objects"),
}
CAUGHT = [
    pytest.param(kind, name, broken, id=f"{kind}-{name}-{broken.__name__}")
    for kind, room in ROOMS.items()
    for broken, name in [*((b, n) for n, b in room.BROKEN.items()), *room.MORE.items()]
]
RIGHT = [(kind, right) for kind, room in ROOMS.items() for right in room.RIGHT]


@functools.cache
def report_of(right):
    return check_component(right)


@pytest.mark.parametrize("kind", KINDS)
def test_every_check_has_a_component_that_it_must_catch(kind):
    assert {check.name for check in checks_of(kind)} == set(ROOMS[kind].BROKEN)


@pytest.mark.parametrize(("kind", "name", "broken"), CAUGHT)
def test_a_broken_component_is_caught_by_the_check_of_its_fault(kind, name, broken):
    result = check_component(broken, kind, only=[name]).result(name)
    assert result.status == ("warn" if (kind, name) in WARNINGS else "fail"), result
    assert result.seen
    assert result.why
    assert result.mend
    assert result.example


@pytest.mark.parametrize(("kind", "right"), RIGHT)
def test_a_right_component_passes_every_check(kind, right):
    report = report_of(right)
    assert report.kind == kind
    bad = [r.explanation() for r in report.results if r.status in ("fail", "warn", "not-reached")]
    assert bad == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_check_passes_on_some_right_component(kind):
    results = [result for right in ROOMS[kind].RIGHT for result in report_of(right).results]
    assert {r.name for r in results if r.status == "pass"} == {c.name for c in checks_of(kind)}


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_lists_the_checks_as_they_are(kind):
    page = (Path(__file__).parents[2] / "docs/checks.md").read_text()
    lines = ["| check | what is true of a right one |", "| --- | --- |"]
    lines += [f"| `{check.name}` | {check.what} |" for check in checks_of(kind)]
    assert f"### {kind}\n\n" + "\n".join(lines) in page


def test_arguments_are_those_of_the_constructor_whatever_new_takes():
    class WithNew(ROOMS["layer"].RightLayer):
        def __new__(cls, *args, **kwargs):
            return super().__new__(cls, *args, **kwargs)

    assert list(parameters_of(WithNew)) == ["factor", "kwargs"]


def test_a_check_leaves_keras_as_it_was():
    def state():
        drawn = random.random(), np.random.random(), float(keras.random.uniform(()))  # noqa: NPY002
        return keras.config.dtype_policy().name, dict(keras.saving.get_custom_objects()), drawn

    def next_name():
        return int("0" + keras.layers.Activation("relu").name.removeprefix("activation").strip("_"))

    keras.config.set_dtype_policy("mixed_float16")
    try:
        keras.utils.set_random_seed(3)
        before, name = state(), next_name()
        keras.utils.set_random_seed(3)
        check_component(ROOMS["loss"].BROKEN["same_value_every_time"])
        check_component(ROOMS["layer"].RightLayer)
        assert state() == before
        assert next_name() == name + 1
    finally:
        keras.config.set_dtype_policy("float32")
