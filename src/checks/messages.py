"""An exception in one line, for what was seen, and what to write where it comes of Keras 2."""

import re

_LONGEST = 400
_RENAMED = {"pow": "power", "flatten": "reshape", "dot": "matmul", "batch_dot": "matmul"}
_OF_KERAS_2 = {
    r"Cannot convert '(\w+)' to a shape|Received: add_weight\('(\w+)'": (
        'self.add_weight(shape=(), initializer="zeros", name="{}"), with name= and its shape'
    ),
    r"module 'keras[\w.]*\.backend' has no attribute '(\w+)'": (
        "keras.ops.{}: keras.backend holds no operations any more, keras.ops does"
    ),
    r"module 'keras[\w.]*\.losses' has no attribute 'Reduction'|reduction=auto": (
        'reduction="sum_over_batch_size", "sum" or None'
    ),
    r"no attribute 'get_(?:scaled_loss|unscaled_gradients)'": (
        "optimizer.scale_loss(loss) before the gradient is taken; optimizer.apply undoes the scale"
    ),
    r"no attribute 'minimize'": "tape.gradient(loss, weights), then optimizer.apply(...)",
    r"no attribute 'reset_states'": "reset_state, which is called once an epoch",
    r"not recognized: \{'lr'": "learning_rate= instead of lr=",
}
"""Words of an error, and what Keras 3 has instead; a name that the error holds is filled in."""


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


def keras3(error: BaseException) -> str:
    """What to write instead, where an error comes of code for Keras 2; else empty."""
    for words, right in _OF_KERAS_2.items():
        found = re.search(words, str(error))
        if found:
            name = next((name for name in found.groups() if name), "")
            return f"This is Keras 2. Write {right.format(_RENAMED.get(name, name))}."
    return ""
