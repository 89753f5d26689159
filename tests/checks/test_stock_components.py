"""Keras's own losses, metrics and layers pass, but for those whose reason is written down."""

import json
import re
from pathlib import Path

import keras
import pytest
from keras_own import EXCEPTIONS, LAYERS, NOT_APPLICABLE, classes, own, reports

DOCS = Path(__file__).parents[2] / "docs/checks.md"
KINDS = {"loss": keras.losses, "metric": keras.metrics, "layer": keras.layers}


@pytest.fixture(scope="module")
def failed(started_layers):
    """Names of the failed checks, by kind and component."""
    out, err = started_layers.communicate(timeout=280)
    assert started_layers.returncode == 0, err[-3000:]
    beside = json.loads(out.splitlines()[-1])
    return {**beside, "metric": {name: r.failed for name, r in reports("metric").items()}}


@pytest.mark.parametrize("kind", ["metric", "loss", "layer"])
def test_keras_passes_but_for_the_exceptions_that_are_explained(failed, kind):
    found = {name: set(names) for name, names in failed[kind].items() if names}
    explained = {name: checks for (of, name), (checks, _) in EXCEPTIONS.items() if of == kind}
    assert found == explained


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_says_how_many_pass(failed, kind):
    said = re.search(rf"^\| {kind} \| (\d+) \| (\d+) \|", DOCS.read_text(), flags=re.MULTILINE)
    passed = sum(not names for names in failed[kind].values())
    assert [int(number) for number in said.groups()] == [passed, len(failed[kind])]


def test_every_class_of_keras_is_checked_or_said_not_to_apply():
    bases = (keras.losses.Loss, keras.metrics.Metric, keras.layers.Layer)
    for (kind, module), base in zip(KINDS.items(), bases, strict=True):
        checked = {name for name, *_ in own(kind)}
        assert checked | set(NOT_APPLICABLE) >= set(classes(module, base))
        assert not checked & set(NOT_APPLICABLE)


def test_every_exception_and_argument_is_of_a_class_that_exists():
    assert all(hasattr(KINDS[kind], name) for kind, name in EXCEPTIONS)
    assert all(hasattr(keras.layers, name) for name in LAYERS)
