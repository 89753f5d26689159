"""How probabilities become a class: with what was tuned on validation rows, or as they are."""

from typing import Any

from src.errors import UserError

TUNED, ARGMAX = DECISIONS = ("tuned", "argmax")


def check_decision(decision: Any, source: str) -> str:
    """A decision that there is.

    Args:
        decision: `tuned` or `argmax`.
        source: where it was given, for the error.

    Raises:
        UserError: for anything else.
    """
    if decision not in DECISIONS:
        raise UserError(f"{source}={decision!r}: must be {' or '.join(DECISIONS)}")
    return str(decision)
