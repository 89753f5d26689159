"""Imports TensorFlow without the lines that its C++ prints before any setting takes hold."""

import gc
import logging
import os
import sys
import tempfile

from src.errors import UserError

YOUNG = 20_000
"""New objects that make the collector look among them, 700 in Python's own setting: one tracing
makes a hundred thousand that stay."""


ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
"""Variable by which TensorFlow, as it is imported, decides on Intel's oneDNN: on where unset."""

log = logging.getLogger(__name__)


def import_tensorflow(*, onednn: bool | None = None) -> None:
    """Imports TensorFlow, its start-up messages kept off the terminal.

    Garbage is not collected meanwhile, which takes a quarter of the time, nor looked for later in
    what the import made. Where the import fails, the messages are shown after all.

    Args:
        onednn: whether its kernels compute, which changes the last bits; None leaves it to the
            environment.

    Raises:
        UserError: where this process has imported TensorFlow with the other ones.
    """
    if "tensorflow" in sys.modules:
        loaded = os.environ.get(ONEDNN, "1").lower() not in ("0", "false")
        if onednn not in (None, loaded):
            raise UserError(
                f"training.onednn={str(onednn).lower()}: TensorFlow already runs with "
                f"{str(loaded).lower()} in this process, and that is fixed when it is imported; "
                "use separate commands"
            )
        return
    if onednn is not None:
        os.environ[ONEDNN] = str(int(onednn))
    log.info("Loading TensorFlow, which takes some seconds")
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
