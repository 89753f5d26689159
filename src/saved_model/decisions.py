"""How a class follows from logits: by offsets tuned on validation rows, by argmax, or by prior."""

TUNED, ARGMAX, PRIOR = DECISIONS = ("tuned", "argmax", "prior")
