"""The progress bar: time left on a terminal, colours only where they are wanted, else nothing."""

import io
import os
import pty
import re
import select

import pytest

from src.engine.callbacks import ProgressBar

COLOUR = re.compile(r"\x1b\[[0-9;]*(3[0-8]|9[0-7])[0-9;]*m")


def shown(stream):
    """What two of three epochs leave on a stream that stands for the standard error."""
    bar = ProgressBar("a run", epochs=3, monitor="val_f1_macro")
    bar.on_train_begin()
    for epoch in range(2):
        bar.on_epoch_end(epoch, {"loss": 0.5, "val_f1_macro": 0.25})
    bar.close()
    stream.flush()


@pytest.fixture
def terminal(monkeypatch):
    """Runs the bar on a pseudo-terminal; gives what came out."""

    def run():
        master, slave = pty.openpty()
        with os.fdopen(slave, "w") as stream:
            monkeypatch.setattr("sys.stderr", stream)
            shown(stream)
            said = b""
            while select.select([master], [], [], 0.2)[0]:
                said += os.read(master, 1 << 16)
        os.close(master)
        return said.decode()

    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    return run


def test_on_a_terminal_it_shows_epoch_score_and_time_left(terminal):
    said = terminal()
    assert COLOUR.search(said)
    assert "a run" in said
    assert "2/3" in said
    assert "val_f1_macro 0.2500" in said
    assert re.search(r"\d:\d\d:\d\d", said)


def test_no_color_takes_the_colours_and_nothing_else(terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    said = terminal()
    assert not COLOUR.search(said)
    assert "2/3" in said


def test_where_there_is_no_terminal_there_is_no_bar(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    shown(stream)
    assert stream.getvalue() == ""
