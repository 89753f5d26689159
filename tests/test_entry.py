"""However a library words it, Ctrl-C is an interruption."""

import pytest

from src.entry import INTERRUPTED, guarded


def half_done():
    """What a library may raise that is interrupted in the middle of a change."""
    try:
        try:
            raise KeyboardInterrupt
        finally:
            {}["what it has not set yet"]
    except KeyError as error:
        raise AttributeError("nothing there") from error


def test_an_error_on_the_way_out_of_an_interruption_is_one(capsys):
    assert guarded(half_done) == INTERRUPTED
    said = capsys.readouterr().err
    assert said == "\nInterrupted; the same command goes on where it was.\n"


def test_an_error_of_the_program_is_none():
    with pytest.raises(ZeroDivisionError):
        guarded(lambda: 1 / 0)
