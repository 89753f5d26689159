"""What a command says of an error: an interruption, a mistake, or a failure of the program."""

import errno
import os
import sqlite3

import hydra
import pytest
from hydra.errors import HydraException, InstantiationException

from src.entry import INTERRUPTED, USER_MISTAKE, environment, guarded, run_hydra
from src.errors import UserError


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


def in_a_target(said):
    """A data source that refuses its file as a library's complaint leads it to."""
    try:
        "ó".encode("ascii")
    except UnicodeEncodeError as error:
        raise UserError(said) from error


def test_of_a_chain_of_errors_the_first_that_speaks_to_the_user_is_shown(capsys):
    node = {"_target_": f"{__name__}.in_a_target", "said": "mine.csv: is no ASCII"}
    assert guarded(lambda: hydra.utils.instantiate(node)) == USER_MISTAKE
    assert capsys.readouterr().err == "Error: mine.csv: is no ASCII\n"

    def again():
        try:
            in_a_target("mine.csv: is no ASCII")
        except UserError as error:
            raise UserError("data.path: mine.csv: is no ASCII") from error

    assert guarded(again) == USER_MISTAKE
    assert capsys.readouterr().err == "Error: data.path: mine.csv: is no ASCII\n"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOTDIR, errno.ENOENT])
def test_a_place_that_cannot_be_written_is_named_in_one_message(number, capsys):
    error = OSError(number, os.strerror(number), "/srv/results")
    assert guarded(lambda: raised(error)) == USER_MISTAKE
    said = capsys.readouterr().err
    assert said.startswith(f"Error: /srv/results: {os.strerror(number)}. Choose a place")
    assert said.count("\n") == 1


def test_an_error_of_the_system_about_no_file_is_one_of_the_program():
    with pytest.raises(OSError, match="Bad file descriptor"):
        guarded(lambda: raised(OSError(errno.EBADF, "Bad file descriptor")))


def test_a_store_that_fails_where_nothing_waits_for_it_is_one_message(capsys):
    statement = "database disk image is malformed\n[SQL: SELECT 1]\n[parameters: (1,)]"
    assert guarded(lambda: raised(sqlite3.DatabaseError(statement))) == USER_MISTAKE
    said = capsys.readouterr().err
    assert said.startswith("Error: tracking store: database disk image is malformed. ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("value", ["", "0", "no"])
def test_only_1_asks_for_tracebacks_as_for_hydra(value, capsys, monkeypatch):
    monkeypatch.setenv("HYDRA_FULL_ERROR", value)
    assert guarded(lambda: raised(UserError("a mistake"))) == USER_MISTAKE
    assert os.environ["HYDRA_FULL_ERROR"] == value
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(UserError):
        guarded(lambda: raised(UserError("a mistake")))


def test_variables_that_were_set_for_a_while_are_set_back_and_no_others(monkeypatch):
    for name in ("GIVEN", "LACKING", "OTHER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIVEN", "before")
    with environment({"GIVEN": "while", "LACKING": "while"}):
        assert (os.environ["GIVEN"], os.environ["LACKING"]) == ("while", "while")
        monkeypatch.setenv("OTHER", "of another thread")
    assert os.environ["GIVEN"] == "before"
    assert "LACKING" not in os.environ
    assert os.environ["OTHER"] == "of another thread"
