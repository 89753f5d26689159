"""A rubric: how much each check weighs in the grade of a submission."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import yaml

from src.checks.language import mistake, say
from src.checks.registry import KINDS, advice_of
from src.checks.results import NOT_APPLICABLE, PASS, WARN, Report


@dataclass(frozen=True)
class Rubric:
    """How much each check weighs.

    Attributes:
        best: the grade of a submission in which every check passes.
        enough: the grade from which a submission passes.
        warning: share of its weight that a check with a warning earns, 0 to 1.
        asked: kinds of components that must be there; all checks of one that is not count as 0.
        other: weight of a check that is not in `weights`.
        weights: by the name of the check.
    """

    best: float = 10.0
    enough: float = 6.0
    warning: float = 0.5
    asked: Sequence[str] = ()
    other: float = 1.0
    weights: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> Self:
        """Reads a rubric from YAML.

        Raises:
            UserError: there is no such file, or it holds something else than a rubric.
        """
        if not file.is_file():
            raise mistake("--rubric {}: there is no such file", file)
        try:
            content = yaml.safe_load(file.read_text("utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise mistake("--rubric {}: is no YAML: {}", file, error) from error
        if not isinstance(content, dict):
            raise mistake("--rubric {}: must hold keys, such as weights", file)
        problem = _problem_of(content)
        if problem:
            raise mistake("--rubric {}: {}", file, problem)
        return cls(**content)

    def weight(self, name: str) -> float:
        """The weight of a check."""
        return self.weights.get(name, self.other)

    def grade(self, reports: Sequence[Report]) -> float:
        """The grade of a submission, 0 to `best`, from the checks of its components that apply."""
        earned = possible = 0.0
        for result in (result for report in reports for result in report.results):
            if result.status != NOT_APPLICABLE:
                weight = self.weight(result.name)
                possible += weight
                earned += weight * {PASS: 1.0, WARN: self.warning}.get(result.status, 0.0)
        for kind in set(self.asked) - {report.kind for report in reports}:
            possible += sum(map(self.weight, advice_of(kind)))
        return self.best * earned / possible if possible else 0.0


def _problem_of(content: dict[str, Any]) -> str:
    """What is wrong with a rubric, or an empty text."""
    known = Rubric.__dataclass_fields__
    for key, value in content.items():
        if key not in known:
            return say("{}: choose one of {}", key, ", ".join(known))
        if key not in ("asked", "weights") and not _is_weight(value):
            return say("{} is {!r}: must be a number, at least 0", key, value)
    asked, weights = content.get("asked") or (), content.get("weights") or {}
    if not isinstance(asked, list | tuple) or not set(asked) <= set(KINDS):
        return say("asked: must be a list of {}", ", ".join(KINDS))
    if not isinstance(weights, dict) or not all(map(_is_weight, weights.values())):
        return say("weights: must be numbers, at least 0, by the names of checks")
    checks = {name for kind in KINDS for name in advice_of(kind)}
    strange = sorted(map(str, set(weights) - checks))
    return say("weights: there is no check {}", ", ".join(strange)) if strange else ""


def _is_weight(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9
