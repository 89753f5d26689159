"""An exception in one line, for what was seen, and what to write where it comes of Keras 2."""

import re

from src.checks.language import marked, say

_LONGEST = 400
_RENAMED = {"pow": "power", "flatten": "reshape", "dot": "matmul", "batch_dot": "matmul"}
_OF_KERAS_2 = {
    r"Cannot convert '(\w+)' to a shape|Received: add_weight\('(\w+)'": marked(
        'self.add_weight(shape=(), initializer="zeros", name="{}"), with name= and its shape'
    ),
    r"module 'keras[\w.]*\.backend' has no attribute '(\w+)'": marked(
        "keras.ops.{}: keras.backend holds no operations any more, keras.ops does"
    ),
    r"module 'keras[\w.]*\.losses' has no attribute 'Reduction'|reduction=auto": marked(
        'reduction="sum_over_batch_size", "sum" or None'
    ),
    r"no attribute 'get_(?:scaled_loss|unscaled_gradients)'": marked(
        "optimizer.scale_loss(loss) before the gradient is taken; optimizer.apply undoes the scale"
    ),
    r"no attribute 'minimize'": marked("tape.gradient(loss, weights), then optimizer.apply(...)"),
    r"no attribute 'reset_states'": marked("reset_state, which is called once an epoch"),
    r"not recognized: \{'lr'": marked("learning_rate= instead of lr="),
}
"""Words of an error, and what Keras 3 has instead; a name that the error holds is filled in."""


def one_line(error: BaseException) -> str:
    """Type and message of an exception, without TensorFlow's and Keras's frames around it."""
    if isinstance(error, SystemExit):
        return say("it called sys.exit({!r})", error.code)
    text = str(error).split("\n\nArguments received by", maxsplit=1)[0]
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(("File ", "in user code", "~", "^"))]
    message = " ".join(lines) or say("no message")
    cut = message if len(message) <= _LONGEST else message[: _LONGEST - 4] + " ..."
    return f"{type(error).__name__}: {cut}"


def keras3(error: BaseException) -> str:
    """What to write instead, where an error comes of code for Keras 2; else empty."""
    for words, right in _OF_KERAS_2.items():
        found = re.search(words, str(error))
        if found:
            name = next((name for name in found.groups() if name), "")
            return say("This is Keras 2. Write {}.", say(right, _RENAMED.get(name, name)))
    return ""
