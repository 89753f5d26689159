"""A run has one trainer, and one question to the store is enough to know that it has no answer."""

import threading

import pytest

from src.runs.claim import UNFINISHED, claimed

IDENTITY = "f" * 64


class Asked:
    """Answers in turn, and counts how often it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.count = 0

    def __call__(self):
        self.count += 1
        return self.answers.pop(0)


@pytest.fixture
def claim(tmp_path):
    return lambda answer: claimed(str(tmp_path), IDENTITY, "a run", answer)


def test_a_run_without_an_answer_is_asked_for_once_and_held(claim, tmp_path):
    asked = Asked(None)
    with claim(asked) as (folder, found):
        assert found is None
        assert (folder / "lock").exists()
        assert folder.parent == tmp_path / UNFINISHED
    assert asked.count == 1


def test_a_run_with_an_answer_leaves_no_folder_behind(claim, tmp_path):
    with claim(Asked(None)) as (folder, _):
        (folder / "checkpoint.npz").write_text("of a training that was interrupted")
    with claim(Asked("done")) as (folder, found):
        assert found == "done"
    assert not folder.exists()


def test_an_answer_is_not_waited_for_while_another_trains_the_run_anew(claim):
    with claim(Asked(None)) as (folder, _), claim(Asked("done")) as (_, found):
        assert found == "done"
        assert (folder / "lock").exists()


def test_who_waited_asks_again(claim, caplog):
    caplog.set_level("INFO")
    asked, begun, found = Asked(None, "done"), threading.Event(), []

    def wait():
        begun.set()
        with claim(asked) as (_, answer):
            found.append(answer)

    other = threading.Thread(target=wait)
    with claim(Asked(None)):
        other.start()
        begun.wait()
        while "another process trains it" not in caplog.text:
            assert other.is_alive()
    other.join()
    assert (found, asked.count) == (["done"], 2)


def test_an_answer_can_be_had_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with claimed(str(tmp_path / "file"), IDENTITY, "a run", Asked("done")) as (_, found):
        assert found == "done"
    with (
        pytest.raises(NotADirectoryError),
        claimed(str(tmp_path / "file"), IDENTITY, "a run", Asked(None)),
    ):
        pass


def test_a_question_that_fails_leaves_the_lock_to_the_next(claim):
    def fail():
        raise ValueError("the store is away")

    with pytest.raises(ValueError, match="the store is away"), claim(fail):
        pass
    with claim(Asked(None)) as (_, found):
        assert found is None
