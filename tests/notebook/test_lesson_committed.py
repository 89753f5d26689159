"""The notebook as it is committed: valid, without outputs, the whole lesson in it.

Beside it what is made of it: the notebook without solutions, and the page to read.
"""

import re
from pathlib import Path

import nbformat
import pytest

from tests.notebook.lesson import CLASS, PAGE, for_class

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "notebook.ipynb"
TURNS = ("turno-1", "turno-2", "turno-3", "turno-4", "turno-5", "turno-tarea")

POINTS = {
    "Función o estado": "stateless and stateful",
    "Ejercicio 1": "focal loss",
    "Ejercicio 2": "F1 macro",
    "Ejercicio 3": "L2Normalize",
    "Ejercicio 4": "train_step",
    "Ejercicio 5": "get_config",
    "Tarea": "homework",
    "Errores comunes": "common mistakes",
    "¿Función o subclase de `Loss`?": "question 1",
    "¿Función o subclase de `Metric`?": "question 2",
    "¿`call` o `__call__`?": "question 3",
    "¿`train_step` o bucle propio?": "question 4",
    "¿Por qué `add_weight` y no `tf.Variable`?": "question 5",
    "Cuándo alcanza con lo que trae Keras": "when built-ins are enough",
    "Referencias": "references",
    "Clase 119": "number of the class",
    "Tu turno": "cells to fill",
    "Siguiente clase": "the next class",
}


def headings(notebook):
    lines = [
        line for c in notebook.cells if c.cell_type == "markdown" for line in c.source.split("\n")
    ]
    return [line.lstrip("#").strip() for line in lines if line.startswith("#")]


def test_it_is_valid_and_every_cell_has_an_id_of_its_own(committed):
    nbformat.validate(committed)
    assert (committed.nbformat, committed.nbformat_minor) >= (4, 5)
    ids = [cell.id for cell in committed.cells]
    assert len(ids) == len(set(ids))


def test_it_has_no_outputs_and_no_execution_counts(committed):
    for cell in committed.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
        assert not cell.metadata


def test_the_first_code_cell_holds_every_import(committed):
    first, *others = [cell.source for cell in committed.cells if cell.cell_type == "code"]
    assert first.startswith("# Imports y configuración inicial")
    assert not [source for source in others if re.search(r"^\s*(import|from) ", source, re.M)]


@pytest.mark.parametrize("point", POINTS)
def test_every_point_of_the_lesson_has_a_heading(committed, point):
    assert [heading for heading in headings(committed) if point in heading], POINTS[point]


def test_the_head_says_what_the_class_takes_and_the_end_what_comes_next(committed):
    head, end = committed.cells[0].source, committed.cells[-1].source
    assert "**70 minutos**" in head
    parts = [int(number) for number in re.findall(r"^\| (\d+) \|", head, re.MULTILINE)]
    assert sum(parts) == 70
    assert len(re.findall(r"^- ", head, re.MULTILINE)) == 5
    assert "Clase 120" in end


def test_each_exercise_has_a_cell_to_fill_before_its_solution(committed):
    ids = [cell.id for cell in committed.cells]
    for turn in TURNS:
        at = ids.index(turn)
        assert ids[at - 1] == f"{turn}-texto"
        assert ids[at + 1] == f"solucion-{turn.removeprefix('turno-')}"
        source = committed.cells[at].source
        assert 'raise NotImplementedError("tu turno")' in source
        assert "turno(Mi" in source or "coincide(" in source


def test_the_notebook_of_the_class_is_the_lesson_without_solutions(committed):
    made = nbformat.read(CLASS, as_version=4)
    nbformat.validate(made)
    assert made == for_class(committed)
    code = "\n".join(cell.source for cell in made.cells if cell.cell_type == "code")
    assert [c.id for c in made.cells if c.id in TURNS] == list(TURNS)
    assert not re.search(r"def focal_loss|class F1Macro|class ModeloConRecorte|def veredicto", code)


def test_the_page_to_read_has_every_cell_and_the_pictures(committed):
    page = PAGE.read_text("utf-8")
    for cell in committed.cells:
        if cell.cell_type == "code":
            assert f"```python\n{cell.source}\n```" in page, f"{cell.id}: run make notebook"
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", page)
    files = [PAGE.parent / picture for picture in pictures]
    assert len(files) == 5
    assert sorted(files) == sorted(PAGE.with_suffix("").glob("*.png"))
    assert sum(file.stat().st_size for file in [PAGE, *files]) < 1_000_000
    assert not re.search(r"/(home|root|work|Users|tmp)/", page)
    slugs = [re.sub(r"[^\w-]", "", h.lower().replace(" ", "-")) for h in headings(committed)]
    for target in re.findall(r"(?<!!)\[[^]]*\]\(([^)]+)\)", page):
        if target.startswith("#"):
            assert target[1:] in slugs, target
        elif "://" not in target:
            assert (PAGE.parent / target).exists(), target


def test_links_lead_somewhere(committed):
    text = "\n".join(cell.source for cell in committed.cells if cell.cell_type == "markdown")
    anchors = {heading.replace(" ", "-") for heading in headings(committed)}
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in anchors, target
        elif not target.startswith("https://"):
            assert (ROOT / target).exists(), target


def test_make_targets_named_in_it_exist(committed):
    makefile = (ROOT / "Makefile").read_text()
    for cell in committed.cells:
        for target in re.findall(r"`make ([a-z-]+)", cell.source):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_no_path_of_one_machine_is_in_it():
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert not re.search(r"/(home|root|work|Users|tmp)/", text)


def test_the_page_that_maps_the_lesson_names_cells_and_checks_that_exist(committed):
    page = (ROOT / "docs" / "leccion.md").read_text(encoding="utf-8")
    cells = set(re.findall(r"^\| `(pregunta-[a-z]+)`", page, re.MULTILINE))
    assert cells == {c.id for c in committed.cells if re.fullmatch(r"pregunta-[a-z]+", c.id)}
    mistakes = page.split("## Errores comunes")[1].split("## ")[0]
    rows = [line.split("|") for line in mistakes.splitlines() if line.startswith("| ")][1:]
    checks = [name for row in rows for name in re.findall(r"`(\w+)`", row[2]) if "_" in name]
    code = "\n".join(file.read_text() for file in (ROOT / "src" / "checks").rglob("*.py"))
    assert len(checks) == 9
    assert [name for name in checks if f"def {name}(" not in code] == []
