"""How probabilities become a class: with what was tuned on validation rows, or as they are."""

TUNED, ARGMAX = DECISIONS = ("tuned", "argmax")
