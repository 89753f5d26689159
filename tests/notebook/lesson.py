"""Makes the class's notebook and the page to read out of the lesson's notebook.

    python -m tests.notebook.lesson
    python -m tests.notebook.lesson --class

The first runs `notebook.ipynb` and writes `notebook-tu-turno.ipynb`, the same without solutions;
`outputs/notebook.ipynb`, with its outputs; and `docs/leccion/cuaderno.md`, these to read, with the
pictures beside. The second runs nothing and writes the notebook without solutions alone.
"""

import argparse
import base64
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from src.entry import guarded

ROOT = Path(__file__).resolve().parents[2]
LESSON, CLASS = ROOT / "notebook.ipynb", ROOT / "notebook-tu-turno.ipynb"
EXECUTED = ROOT / "outputs/notebook.ipynb"
PAGE = ROOT / "docs/leccion/cuaderno.md"
AFTER_CLASS = ("errores", "preguntas", "builtins")
"""Ids of the cells that open a section which the class's notebook leaves out."""
CONTENTS = "indice"
END = """\
Las soluciones, los errores comunes y las preguntas, con código: `notebook.ipynb`. Este cuaderno
sale de él con `python -m tests.notebook.lesson --class`; los cambios se hacen allí."""
TIMEOUT = 600  # seconds for a cell

Notebook = Any


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the notebook of the class, and unless asked for that alone, the page.

    Args:
        arguments: of the command line; None takes the process's own.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tests.notebook.lesson",
        description="Make the class's notebook and the page to read out of notebook.ipynb.",
    )
    parser.add_argument(
        "--class", action="store_true", dest="class_only", help="run nothing: no page"
    )
    options = parser.parse_args(arguments)
    lesson = nbformat.read(LESSON, as_version=4)
    CLASS.write_text(nbformat.writes(for_class(lesson)) + "\n", encoding="utf-8")
    print(f"written: {CLASS.relative_to(ROOT)}")
    if options.class_only:
        return 0
    NotebookClient(lesson, timeout=TIMEOUT, resources={"metadata": {"path": str(ROOT)}}).execute()
    EXECUTED.parent.mkdir(exist_ok=True)
    EXECUTED.write_text(nbformat.writes(lesson), encoding="utf-8")
    text, pictures = page_of(lesson)
    folder = PAGE.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    for name, picture in pictures.items():
        (folder / name).write_bytes(picture)
    PAGE.write_text(text, encoding="utf-8")
    print(f"written: {EXECUTED.relative_to(ROOT)}, {PAGE.relative_to(ROOT)}")
    return 0


def for_class(lesson: Notebook) -> Notebook:
    """The notebook without solutions: of each section what comes up to its cell to fill."""
    kept, open_ = [], True
    for cell in lesson.cells:
        if cell.cell_type == "markdown" and re.match("##? ", cell.source):
            open_ = cell.id not in AFTER_CLASS
        if open_ and cell.id != CONTENTS:
            kept.append(cell)
        if cell.cell_type == "code" and cell.id.startswith("turno-"):
            open_ = False
    made = nbformat.v4.new_notebook(cells=kept, metadata=lesson.metadata)
    made.cells.append(nbformat.v4.new_markdown_cell(END, id="final"))
    return made


def page_of(executed: Notebook) -> tuple[str, dict[str, bytes]]:
    """An executed notebook as Markdown, and its pictures by the names of their files."""
    parts: list[str] = ["<!-- Written by make notebook out of notebook.ipynb. -->"]
    pictures: dict[str, bytes] = {}
    for cell in executed.cells:
        if cell.cell_type == "markdown":
            parts.append(_linked_from_the_page(cell.source))
            continue
        parts.append(f"```python\n{cell.source}\n```")
        printed = "".join(o.text for o in cell.outputs if o.output_type == "stream")
        if printed.strip():
            parts.append(f"```text\n{printed.rstrip()}\n```")
        drawn = [o.data["image/png"] for o in cell.outputs if "image/png" in o.get("data", {})]
        for number, picture in enumerate(drawn, 1):
            name = f"{cell.id}-{number}.png" if len(drawn) > 1 else f"{cell.id}.png"
            pictures[name] = base64.b64decode(picture)
            parts.append(f"![{cell.id}]({PAGE.stem}/{name})")
    return "\n\n".join(parts) + "\n", pictures


def _linked_from_the_page(text: str) -> str:
    """Markdown whose links to files and headings lead there from the page."""
    up = "../" * len(PAGE.parent.relative_to(ROOT).parts)

    def link(found: re.Match[str]) -> str:
        target = found[1]
        if target.startswith("#"):
            return f"](#{re.sub(r'[^-_0-9a-zà-ÿ]', '', target[1:].lower())})"
        return found[0] if "://" in target else f"]({up}{target})"

    return re.sub(r"\]\(([^)]+)\)", link, text)


if __name__ == "__main__":
    raise SystemExit(guarded(main))
