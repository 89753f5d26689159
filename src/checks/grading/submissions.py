"""Grades a folder of files: every component in each, two files at a time."""

import contextvars
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from src.checks.language import mistake, say
from src.checks.results import FAIL, Report, Result
from src.checks.sandbox.sandbox import IMPORT, components_in, report, start
from src.errors import UserError

AT_ONCE = 2


@dataclass(frozen=True)
class Submission:
    """The outcome of one file.

    Attributes:
        file: its path within the folder.
        reports: one per component.
        problem: why there are none.
    """

    file: str
    reports: tuple[Report, ...]
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether there is a component and nothing failed."""
        return bool(self.reports) and all(report.passed for report in self.reports)


def grade(
    folder: Path, timeout: float, arguments: dict[str, Any] | None = None
) -> list[Submission]:
    """Checks every Python file of a folder, those in folders within it too.

    ``arguments`` go to each component that takes them; each has ``timeout`` seconds.

    Raises:
        UserError: there is no such folder, or no Python file in it.
    """
    if not folder.is_dir():
        raise mistake("--submissions {}: there is no such folder", folder)
    files = sorted(
        file
        for file in folder.rglob("*.py")
        if file.is_file() and not any(part.startswith((".", "__")) for part in file.parts[-2:])
    )
    if not files:
        raise mistake("--submissions {}: no .py file in it", folder)
    start()
    contexts = [contextvars.copy_context() for _ in files]  # the language that is spoken
    with ThreadPoolExecutor(AT_ONCE) as pool:
        job = partial(_graded, folder, timeout, arguments or {})
        graded = pool.map(lambda context, file: context.run(job, file), contexts, files)
        console = Console(stderr=True)
        return list(track(graded, say("checking"), total=len(files), console=console))


def _graded(folder: Path, timeout: float, arguments: dict[str, Any], file: Path) -> Submission:
    shown = str(file.relative_to(folder))
    try:
        names = components_in(file.resolve(), timeout)
    except UserError as error:
        return Submission(shown, (), say("cannot be imported: {}", error))
    reports = [_checked(file.resolve(), name, timeout, arguments) for name in names]
    problem = "" if reports else say("no loss, metric, layer or model in it")
    return Submission(shown, tuple(reports), problem)


def _checked(file: Path, name: str, timeout: float, arguments: dict[str, Any]) -> Report:
    """A component's report; one that cannot be made has failed."""
    try:
        return report(name, timeout, file=str(file), arguments=arguments)
    except UserError as error:
        if arguments:  # not every component of a file takes them
            return _checked(file, name, timeout, {})
        text = str(error)
    return Report(name, "", (Result(IMPORT, FAIL, text, mend=say("Give its arguments defaults.")),))
