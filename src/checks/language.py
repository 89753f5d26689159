"""The language in which the kit speaks: gettext, with catalogues that are read as they are written.

A text for people is written in English where it is said, as the argument of `say`; its translation
stands in `languages/CODE.po`. A `.po` file is read when its language is first asked for, so that
nothing has to be compiled after a clone.
"""

import ast
import contextlib
import functools
import gettext
import re
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from src.errors import UserError

ENGLISH = "en"
_FOLDER = Path(__file__).parent / "languages"
_spoken = ContextVar("language of the kit", default=ENGLISH)


class Catalogue(gettext.NullTranslations):
    """The texts of a `.po` file.

    Args:
        content: of the file. Fuzzy entries, plurals and contexts are not used here.
    """

    def __init__(self, content: str) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        entry = re.compile(r'^msgid ((?:".*"\s+)+)msgstr ((?:".*"\s*)+)', re.MULTILINE)
        for english, translated in entry.findall(content):
            self.texts[_unquoted(english)] = _unquoted(translated)

    def gettext(self, message: str) -> str:
        """The translation of an English text, or the text where there is none."""
        return self.texts.get(message) or message


def _unquoted(lines: str) -> str:
    return "".join(ast.literal_eval(line) for line in lines.splitlines() if line.strip())


def languages() -> tuple[str, ...]:
    """Codes of the languages that the kit speaks, English first."""
    return ENGLISH, *sorted(file.stem for file in _FOLDER.glob("*.po"))


@functools.cache
def catalogue(code: str) -> gettext.NullTranslations:
    """The translations into a language.

    Raises:
        UserError: the kit does not speak it.
    """
    if code not in languages():
        raise UserError(f"language {code!r}: choose one of {', '.join(languages())}")
    if code == ENGLISH:
        return gettext.NullTranslations()
    return Catalogue((_FOLDER / f"{code}.po").read_text("utf-8"))


def say(text: str, *values: Any) -> str:
    """A text in the language that is spoken, its `{}` filled in; `{{` stands for a brace."""
    return catalogue(_spoken.get()).gettext(text).format(*values)


def translated(text: str) -> str:
    """The same for a text without values, in which a brace is a brace."""
    return catalogue(_spoken.get()).gettext(text) if text else text


def marked(text: str) -> str:
    """Marks an English text that is said later, so that its translation is asked for."""
    return text


def spoken() -> str:
    """The code of the language that is spoken in this thread."""
    return _spoken.get()


def speak(code: str) -> None:
    """Speaks a language from now on, in this thread."""
    catalogue(code)
    _spoken.set(code)


@contextlib.contextmanager
def speaking(code: str) -> Iterator[None]:
    """Speaks a language within the block."""
    catalogue(code)
    token = _spoken.set(code)
    try:
        yield
    finally:
        _spoken.reset(token)
