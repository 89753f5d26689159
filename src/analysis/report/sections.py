"""A page made of sections of text, tables and pictures: the same in Markdown and in HTML."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, PackageLoader, select_autoescape

from src.analysis.figures.panel import Panel
from src.runs.labels import shortened

Table = list[list[str]]
"""Rows of text, the first of them the head."""


class Shaded(str):
    """A cell on a colour as CSS has it, which Markdown leaves out."""

    colour: str


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it.

    Attributes:
        title: the heading; empty for what goes on under the one before.
        text: paragraphs; what stands between ``**`` is bold, here and in tables.
        tables: the first row of each is its head.
        folded: what is shown in place of long tables until somebody asks; empty for short ones.
        panels: pictures, for HTML alone.
    """

    title: str
    text: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    folded: str = ""
    panels: list[Panel] = field(default_factory=list)


def markdown(sections: Sequence[Section]) -> str:
    """The sections without their pictures."""
    parts: list[str] = []
    for section in sections:
        tables = [markdown_table(table) for table in section.tables]
        if section.folded and tables:
            tables = [f"<details><summary>{section.folded}</summary>", *tables, "</details>"]
        parts += [f"### {section.title}"] if section.title else []
        parts += [*section.text, *tables]
    return shortened("\n\n".join(parts)) + "\n"


def markdown_table(table: Table) -> str:
    """A table as Markdown, its first row as the head; all columns but the first to the right."""
    head, *rows = table
    lines = ["| " + " | ".join(head) + " |", "| --- " + "| --: " * (len(head) - 1) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def write_page(file: Path, title: str, sections: Sequence[Section]) -> None:
    """Writes the sections with their pictures as one HTML file that needs nothing else."""
    page = page_templates().get_template("sections.html.j2").render(title=title, sections=sections)
    file.write_text(shortened(page), encoding="utf-8")


def page_templates() -> Environment:
    """The templates of the HTML pages; names from outside become text, never markup."""
    return Environment(
        loader=PackageLoader("src.analysis"),
        autoescape=select_autoescape(default=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
