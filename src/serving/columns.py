"""Holds the columns of a file of new rows against those that the model was trained on."""

from collections.abc import Sequence

from src.data.errors import DataError, shortened
from src.errors import close_match
from src.saved_model.facts import ServingFacts


def plan_columns(
    names: Sequence[str],
    facts: ServingFacts,
    source: str,
    *,
    keep: Sequence[str] = (),
    ignore_extra: bool = False,
) -> tuple[str | None, tuple[str, ...]]:
    """Checks the columns by name.

    Returns:
        The column of true classes, None where the file has none; and the columns that are not used.

    Raises:
        DataError: names a column that is missing or that nobody asked for.
    """
    wanted = facts.columns
    unknown = [name for name in keep if name not in names]
    if unknown:
        raise DataError(f"--keep {unknown[0]}: is no column of {source}: {shortened(names)}")
    clash = [name for name in keep if name in facts.output_columns]
    if clash:
        raise DataError(f"--keep {clash[0]}: the answer has a column of that name itself")
    layout = facts.table.layout if facts.table else None
    label = layout.label if layout and layout.label in names else None
    if wanted is None:
        return label, ()
    absent = [name for name in wanted if name not in names]
    surplus = [name for name in names if name not in wanted and name != label]
    if absent:
        message = f"{source}: columns {shortened(absent)} are missing"
        if len(absent) == len(wanted):
            raise DataError(
                f"{message}, that is all of them; its first row is {shortened(names, 6)}. If that "
                "is data already, say --no-header"
            )
        near = close_match(absent[0], surplus)
        raise DataError(f"{message}; it has {shortened(names)}.{near}")
    known = {*(layout.columns if layout else ()), *keep}
    strange = [name for name in surplus if name not in known]
    if strange and not ignore_extra:
        raise DataError(
            f"{source}: columns {shortened(strange)} were not there in training; --ignore-extra "
            "goes on without them, --keep NAME copies one into the answer"
        )
    return label, tuple(name for name in surplus if name not in keep)
