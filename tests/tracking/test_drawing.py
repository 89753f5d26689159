"""Pictures are drawn by another process, and are there whatever becomes of it."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.runs import record
from src.tracking import drawing
from src.tracking.drawing import Pictures
from src.tracking.plots import plot_confusion, plot_curves

ROOT = Path(__file__).resolve().parents[2]
NAMES = ('plain "quoted", and cut', "other")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A run's folder, as far as pictures need it."""
    monkeypatch.syspath_prepend(ROOT)  # a model loaded before may have brought its own `src`
    monkeypatch.setattr(drawing, "_pool", [])
    rows = [{"epoch": n, "time_ms": n, "loss": 1 / n, "val_f1_macro": 0.5} for n in (1, 2, 3)]
    record.write_history(tmp_path / record.HISTORY, rows)
    header = '"plain ""quoted"", and cut","other"'
    (tmp_path / record.CONFUSION).write_text(f"{header}\n9,1\n2,3\n", encoding="utf-8")
    return tmp_path


def drawn(folder):
    names = (record.CONFUSION_PLOT, record.CURVES_PLOT)
    return [np.asarray(Image.open(folder / name)) for name in names]


@pytest.fixture
def expected(folder):
    """What this process draws."""
    drawing.draw_missing(folder, 2)
    return drawn(folder)


def test_another_process_draws_the_same(folder, expected):
    pictures = Pictures(beside=True)
    pictures.begin(folder, 2)
    pictures.end(folder, 2)
    assert pictures._task.exception() is None
    for picture, own in zip(drawn(folder), expected, strict=True):
        np.testing.assert_array_equal(picture, own)


def test_they_are_drawn_here_where_that_process_is_killed(folder, expected):
    pictures = Pictures(beside=True)
    os.kill(drawing._executor().submit(os.getpid).result(), signal.SIGKILL)
    pictures.begin(folder, 2)
    pictures.end(folder, 2)
    for picture, own in zip(drawn(folder), expected, strict=True):
        np.testing.assert_array_equal(picture, own)
    Pictures(beside=True).end(folder, 2)  # and the next run has a process again
    assert drawing._executor().submit(os.getpid).result() != os.getpid()


def test_a_picture_that_cannot_be_written_is_an_error(folder):
    (folder / record.CONFUSION_PLOT).mkdir()
    pictures = Pictures(beside=True)
    pictures._send(drawing._draw, folder, 2)
    with pytest.raises(OSError, match=record.CONFUSION_PLOT):
        pictures.end(folder, 2)


def test_a_picture_shows_nothing_of_the_one_before(folder, expected, tmp_path):
    rows = [{"epoch": n, "time_ms": n, "loss": 9 / n, "val_f1_macro": 0.1 * n} for n in range(1, 9)]
    plot_curves(tmp_path / "other.png", rows, 7)
    plot_confusion(tmp_path / "matrix.png", np.array([[0, 70], [800, 0]]), NAMES)
    drawing._draw(folder, 2)
    for picture, first in zip(drawn(folder), expected, strict=True):
        np.testing.assert_array_equal(picture, first)
