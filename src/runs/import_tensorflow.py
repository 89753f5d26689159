"""Imports TensorFlow without the lines that its C++ prints before any setting takes hold."""

import gc
import os
import sys
import tempfile

YOUNG = 20_000
"""New objects that make the collector look among them, 700 in Python's own setting: one tracing
makes a hundred thousand that stay."""


def import_tensorflow() -> None:
    """Imports TensorFlow, its start-up messages kept off the terminal.

    Garbage is not collected meanwhile, which takes a quarter of the time, nor looked for later in
    what the import made. Where the import fails, the messages are shown after all.
    """
    if "tensorflow" in sys.modules:
        return
    sys.stderr.flush()
    terminal = os.dup(2)
    gc.disable()
    with tempfile.TemporaryFile() as messages:
        os.dup2(messages.fileno(), 2)
        try:
            import tensorflow as tf
        except BaseException:
            messages.seek(0)
            os.write(terminal, messages.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
            gc.enable()
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
    tf.get_logger().setLevel("ERROR")  # runs of other shapes trace anew; that is no news
