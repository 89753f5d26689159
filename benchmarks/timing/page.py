"""Pages of prose by hand, with tables by the programs between markers."""

from __future__ import annotations

import re
from pathlib import Path

from src.errors import UserError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance.md"


def replaced(page: str, name: str, content: str) -> str:
    """The page with the part of one program renewed; a new part comes at the end.

    Args:
        page: Markdown.
        name: of the part.
        content: Markdown that takes its place.

    Raises:
        UserError: where a marker of the part stands alone.
    """
    begin, end = f"<!-- bench {name} -->", f"<!-- /bench {name} -->"
    part = f"{begin}\n\n{content.strip()}\n\n{end}"
    if (begin in page) != (end in page):
        raise UserError(f"the page has one of {begin} and {end}, needs both")
    if begin not in page:
        return f"{page.rstrip()}\n\n## {name}\n\n{part}\n"
    return re.sub(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: part, page, flags=re.DOTALL)
