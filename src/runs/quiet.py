"""Imports TensorFlow without the lines that its C++ prints before any setting takes hold."""

import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

YOUNG = 20_000
"""New objects that make the collector look among them, 700 in Python's own setting.

A tracing makes a hundred thousand that stay, so it looked at all of them again and again.
"""


def import_tensorflow() -> None:
    """Imports TensorFlow, its start-up messages kept off the terminal.

    Where the import fails they are shown after all.
    """
    if "tensorflow" in sys.modules:
        return
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as messages:
        os.dup2(messages.fileno(), 2)
        try:
            with without_collector():
                import tensorflow as tf
        except BaseException:
            messages.seek(0)
            os.write(terminal, messages.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
    tf.get_logger().setLevel("ERROR")  # runs of other shapes trace anew; that is no news


@contextmanager
def without_collector() -> Iterator[None]:
    """Imports without garbage collection: a sixth of their time goes there, for nothing."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


@cache
def spare_collector() -> None:
    """Has garbage collected more rarely, and not looked for in what was imported so far.

    That stays anyway; looking through it takes half a second. Called when all is imported.
    """
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
