"""Keras's own losses, metrics and layers pass, but for those whose reason is written down.

Of classes that share a parent one is checked here, and each whose reason is written down;
`python tests/checks/keras_own.py` checks all of them.
"""

import re
from pathlib import Path

import keras
import pytest
from keras_own import EXCEPTIONS, KINDS, LAYERS, NOT_APPLICABLE, classes, failures, own

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parents[2] / "docs/checks.md"


@pytest.mark.parametrize("kind", KINDS)
def test_keras_passes_but_for_the_exceptions_that_are_explained(kind):
    assert failures(kind, one_per_parent=True) == EXCEPTIONS[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_says_how_many_pass(kind):
    said = re.search(rf"^\| {kind} \| (\d+) \| (\d+) \|", DOCS.read_text(), flags=re.MULTILINE)
    total = len(list(own(kind)))
    assert [int(number) for number in said.groups()] == [total - len(EXCEPTIONS[kind]), total]


@pytest.mark.parametrize("kind", KINDS)
def test_every_class_of_keras_is_checked_or_said_not_to_apply(kind):
    checked = {name for name, *_ in own(kind)}
    assert checked | set(NOT_APPLICABLE) >= set(classes(*KINDS[kind]))
    assert not checked & set(NOT_APPLICABLE)


def test_every_exception_and_argument_is_of_a_class_that_exists():
    assert all(hasattr(KINDS[kind][0], name) for kind in KINDS for name in EXCEPTIONS[kind])
    assert all(hasattr(keras.layers, name) for name in LAYERS)
