"""A folder of submissions by class: how many pass, their mean grade, what most of them miss."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from statistics import mean

from src.checks.grading.rubric import Rubric
from src.checks.grading.submissions import Submission


@dataclass(frozen=True)
class ClassSummary:
    """The submissions of a class.

    Attributes:
        name: of its folder; empty where files lie in the folder of submissions itself.
        files: how many.
        passed: how many of them pass.
        grade: their mean; None without a rubric.
        missed: by the name of a check, in how many files it failed, most frequent first.
    """

    name: str
    files: int
    passed: int
    grade: float | None
    missed: dict[str, int]

    @property
    def missed_most(self) -> str:
        """The three checks that fail in most files, with their numbers."""
        return ", ".join(f"{name} ({count})" for name, count in list(self.missed.items())[:3])


def class_of(submission: Submission) -> str:
    """The first folder on the way to a file, within the folder of submissions."""
    parts = PurePath(submission.file).parts
    return parts[0] if len(parts) > 1 else ""


def passes(submission: Submission, rubric: Rubric | None) -> bool:
    """Whether a submission passes: its grade is enough, or without a rubric nothing failed."""
    if rubric is None:
        return submission.passed
    return rubric.grade(submission.reports) >= rubric.enough


def summaries(submissions: Sequence[Submission], rubric: Rubric | None) -> list[ClassSummary]:
    """One summary a class, in the order of their names."""
    classes: dict[str, list[Submission]] = {}
    for submission in submissions:
        classes.setdefault(class_of(submission), []).append(submission)
    return [_summary(name, of_class, rubric) for name, of_class in sorted(classes.items())]


def _summary(name: str, submissions: list[Submission], rubric: Rubric | None) -> ClassSummary:
    missed = Counter(
        check
        for submission in submissions
        for check in {name for report in submission.reports for name in report.failed}
    )
    ranked = dict(sorted(missed.items(), key=lambda item: (-item[1], item[0])))
    passed = sum(passes(submission, rubric) for submission in submissions)
    grade = mean(rubric.grade(s.reports) for s in submissions) if rubric else None
    return ClassSummary(name, len(submissions), passed, grade, ranked)
