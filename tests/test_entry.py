"""What a command says of an error: an interruption, a mistake, or a failure of the program."""

import hydra
import pytest
from hydra.errors import HydraException, InstantiationException

from src.entry import INTERRUPTED, USER_MISTAKE, guarded, run_hydra


def half_done():
    """What a library may raise that is interrupted in the middle of a change."""
    try:
        try:
            raise KeyboardInterrupt
        finally:
            {}["what it has not set yet"]
    except KeyError as error:
        raise AttributeError("nothing there") from error


@pytest.mark.parametrize(
    ("resumes", "said"), [(True, "; the same command goes on where it was."), (False, ".")]
)
def test_an_error_on_the_way_out_of_an_interruption_is_one(resumes, said, capsys):
    assert guarded(half_done, resumes=resumes) == INTERRUPTED
    assert capsys.readouterr().err == f"\nInterrupted{said}\n"


def raised(error):
    raise error


def test_an_error_of_hydra_is_a_mistake(capsys):
    assert guarded(lambda: raised(HydraException("no such choice"))) == USER_MISTAKE
    assert capsys.readouterr().err == "Error: no such choice\n"


@pytest.mark.parametrize("error", [ZeroDivisionError(), ValueError(), KeyError("x")])
def test_an_error_of_the_program_is_none(error):
    with pytest.raises(type(error)):
        guarded(lambda: run_hydra(lambda: raised(error)))


def test_what_hydra_cannot_build_is_none():
    """It may be a break in this project's own callback or launcher."""
    node = {"_target_": "builtins.int", "_args_": ["x"]}
    with pytest.raises(InstantiationException, match="invalid literal"):
        guarded(lambda: run_hydra(lambda: hydra.utils.instantiate(node)))
