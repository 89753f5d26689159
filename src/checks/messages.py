"""An exception in one line, for what was seen."""

import re

_LONGEST = 400


def one_line(error: BaseException) -> str:
    """Type and message of an exception, without TensorFlow's and Keras's frames around it."""
    if isinstance(error, SystemExit):
        return f"it called sys.exit({error.code!r})"
    text = str(error).split("\n\nArguments received by", maxsplit=1)[0]
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(("File ", "in user code", "~", "^"))]
    message = " ".join(lines) or "no message"
    cut = message if len(message) <= _LONGEST else message[: _LONGEST - 4] + " ..."
    return f"{type(error).__name__}: {cut}"
