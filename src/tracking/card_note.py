"""A model card as the MLflow UI shows it: what fits into a description."""

NOTE = "mlflow.note.content"
"""The tag that the UI shows as a description."""
TITLE = "# Model card\n\n"
LONGEST = 7500
"""Characters; MLflow keeps at most 8,000 of a run's description."""
WHOLE = "\n\nThe whole card is the artifact `model_card.md`.\n"


def note_of(card: str) -> str:
    """The card, in Markdown, without its title; its first sections where it is too long."""
    card = card.removeprefix(TITLE)
    if len(card) <= LONGEST:
        return card
    room = card[: LONGEST - len(WHOLE)]
    return room[: room.rfind("\n## ")].rstrip() + WHOLE
