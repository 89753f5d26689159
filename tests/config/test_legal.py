"""Values against annotations: what is wrong, in words, and nothing where nothing is.

What the keys of the configs say of a wrong value is in `test_mistakes.py`.
"""

import math
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from src.config.legal import Check, in_words, problems
from src.config.ranges import (
    AutoCount,
    AutoWidths,
    Count,
    Fraction,
    NonNegative,
    Positive,
    Seed,
    Target,
    UnitInterval,
    one_of,
)

Positives = list[Annotated[int, Meta(ge=1)]]


def reasons(value, hint, **options):
    return list(problems(value, hint, **options))


@given(st.floats())
def test_bounds_hold_as_arithmetic_has_it(value):
    assert (reasons(value, Fraction) == []) == (0 < value < 1)
    assert (reasons(value, UnitInterval) == []) == (0 <= value <= 1)
    assert (reasons(value, Positive) == []) == (math.isfinite(value) and value > 0)
    assert (reasons(value, NonNegative) == []) == (math.isfinite(value) and value >= 0)


@given(st.integers())
def test_bounds_hold_for_integers_of_any_size(value):
    assert (reasons(value, Count) == []) == (1 <= value <= 1_000_000)
    assert (reasons(value, Seed) == []) == (0 <= value < 2**32)


@pytest.mark.parametrize(
    ("value", "hint", "said"),
    [
        (0.2, Annotated[float, Meta(ge=0.5)], "must be greater than or equal to 0.5"),
        ("x", Count, "must be a valid integer"),
        (2.5, Count, "must be a valid integer"),
        (True, Count, "must be a valid integer"),
        (None, Count, "must be a valid integer"),
        ("x", Fraction, "must be a valid number"),
        ("x", bool, "must be a valid boolean"),
        (5, str, "must be a valid string"),
        (5, dict[str, Any], "must be a valid dictionary"),
        (0, Count | None, "must be greater than or equal to 1"),
        (10**400, Positive, "must be a finite number"),
        (5, Annotated[str, one_of("a", "b")], "must be one of a, b"),
        (4, AutoWidths, "must be a valid list, or auto"),
    ],
)
def test_one_thing_is_wrong_and_said(value, hint, said):
    ((places, reason),) = reasons(value, hint)
    assert places == ()
    assert reason.startswith(said)


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (None, Count | None),
        ("3", Count),
        ("0.5", Fraction),
        ([], Positives),
        ([1, 2], Positives),
        (object(), Any),
        ("auto", AutoCount),
        ("auto", AutoWidths),
        ([8], AutoWidths),
        ({"_target_": "a.B"}, Annotated[dict[str, Any], Target]),
    ],
)
def test_nothing_is_wrong(value, hint):
    assert reasons(value, hint) == []


def test_each_wrong_entry_of_a_list_is_named_by_its_place():
    said = "must be greater than or equal to 1"
    assert reasons([1, 0, -1], Positives) == [((1,), said), ((2,), said)]
    assert reasons([[1], [2, 0]], list[Positives]) == [((1, 1), said)]


def test_text_that_reads_as_a_number_is_none_where_types_are_strict():
    assert reasons("3", Count, strict=True) == [((), "must be a valid integer")]


def test_an_own_check_comes_first():
    def never(value):
        raise ValueError("must not be")

    assert reasons("x", Annotated[int, Check(never)]) == [((), "must not be")]


def test_what_has_no_words_here_is_said_as_msgspec_says_it():
    assert in_words("Invalid UUID") == "Invalid UUID"
