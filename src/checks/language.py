"""The language in which the kit speaks, with gettext's catalogues, read as they are written.

A text for people is written in English where it is said: in `say`, `mistake` or a finding. Its
translation stands in `languages/CODE.po`, which is read when its language is first asked for, so
that nothing has to be compiled after a clone.
"""

import ast
import contextlib
import functools
import re
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from src.errors import UserError

ENGLISH = "en"
_FOLDER = Path(__file__).parent / "languages"
_spoken = ContextVar("language of the kit", default=ENGLISH)


def languages() -> tuple[str, ...]:
    """Codes of the languages that the kit speaks, English first."""
    return ENGLISH, *sorted(file.stem for file in _FOLDER.glob("*.po"))


@functools.cache
def catalogue(code: str) -> dict[str, str]:
    """The translations into a language, by the English text.

    Raises:
        UserError: the kit does not speak it.
    """
    if code not in languages():
        raise UserError(f"language {code!r}: choose one of {', '.join(languages())}")
    return {} if code == ENGLISH else read_translations(_FOLDER / f"{code}.po")


def read_translations(file: Path) -> dict[str, str]:
    """The texts of a `.po` file by the English text; it has no plurals and no contexts."""

    def unquoted(lines: str) -> str:
        return "".join(ast.literal_eval(line) for line in lines.split("\n") if line.strip())

    entry = re.compile(r'^msgid ((?:".*"\s+)+)msgstr ((?:".*"\s*)+)', re.MULTILINE)
    entries = entry.findall(file.read_text("utf-8"))
    texts = {unquoted(english): unquoted(other) for english, other in entries}
    texts.pop("", None)  # the file's own head
    return texts


def say(text: str, *values: Any) -> str:
    """A text in the language that is spoken, its `{}` filled in; `{{` stands for a brace."""
    return translated(text).format(*values)


def translated(text: str) -> str:
    """The same for a text without values, in which a brace is a brace."""
    return catalogue(_spoken.get()).get(text) or text


def mistake(text: str, *values: Any) -> UserError:
    """An error that says a text to the user."""
    return UserError(say(text, *values))


def marked(text: str) -> str:
    """Marks an English text that is said later, so that its translation is asked for."""
    return text


def spoken() -> str:
    """The code of the language that is spoken in this thread."""
    return _spoken.get()


@contextlib.contextmanager
def speaking(code: str) -> Iterator[None]:
    """Speaks a language within the block."""
    catalogue(code)
    token = _spoken.set(code)
    try:
        yield
    finally:
        _spoken.reset(token)
