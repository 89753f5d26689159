"""An exception in one line, for what was seen."""

from __future__ import annotations

import re

_LONGEST = 400


def one_line(error: BaseException) -> str:
    """Type and message of an exception, without TensorFlow's and Keras's frames around it."""
    text = str(error)
    marker = "\n\nArguments received by"
    text = text.split(marker, maxsplit=1)[0]
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(("File ", "in user code", "~", "^"))]
    message = " ".join(lines) or "no message"
    cut = message if len(message) <= _LONGEST else message[: _LONGEST - 4] + " ..."
    return f"{type(error).__name__}: {cut}"
