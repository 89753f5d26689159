"""The result of a check, and the report of all checks of one component."""

import textwrap
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from src.checks.language import marked, say, translated

PASS, WARN, FAIL = marked("pass"), marked("warn"), marked("fail")
NOT_APPLICABLE, NOT_REACHED = marked("not-applicable"), marked("not-reached")
STATUSES = (PASS, WARN, FAIL, NOT_APPLICABLE, NOT_REACHED)


@dataclass(frozen=True)
class Result:
    """The outcome of one check.

    Attributes:
        name: of the check.
        status: pass, warn, fail, not-applicable, or not-reached where the component ended the
            process, or its time was over, before.
        seen: what was seen.
        why: why it matters.
        mend: how to mend it.
        example: code that is right.
        seconds: it took.
    """

    name: str
    status: str
    seen: str
    why: str = ""
    mend: str = ""
    example: str = ""
    seconds: float = 0.0

    @property
    def bad(self) -> bool:
        """Whether the component does not pass because of it."""
        return self.status in (FAIL, NOT_REACHED)

    def explanation(self) -> str:
        """The whole result as indented text."""
        example = textwrap.indent(self.example, "      ")
        parts = self.name, translated(self.status), self.seen, self.why, self.mend
        return say(
            "{}: {}\n  seen: {}\n  why:  {}\n  mend: {}\n  for example:\n{}", *parts, example
        )


@dataclass(frozen=True)
class Report:
    """All checks of one component.

    Attributes:
        component: its name.
        kind: loss, metric, layer or model.
        results: in the order of the checks.
        made_with: arguments that the kit gave its constructor unasked.
    """

    component: str
    kind: str
    results: tuple[Result, ...]
    made_with: dict[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether nothing failed; warnings are allowed."""
        return not any(result.bad for result in self.results)

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the checks that failed or were not reached."""
        return tuple(result.name for result in self.results if result.bad)

    @property
    def counts(self) -> dict[str, int]:
        """The number of checks that ended in each status."""
        found = Counter(result.status for result in self.results)
        return {status: found[status] for status in STATUSES}

    def result(self, name: str) -> Result:
        """The result of the check of that name."""
        return next(result for result in self.results if result.name == name)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as in the JSON that the command prints."""
        content = {"component": self.component, "kind": self.kind, "passed": self.passed}
        listed = [asdict(result) for result in self.results]
        return {**content, "made_with": self.made_with, "counts": self.counts, "checks": listed}
