"""The two decisions: class offsets tuned on validation rows, or the most probable class."""

TUNED, ARGMAX = DECISIONS = ("tuned", "argmax")
