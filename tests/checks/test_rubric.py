"""Grades by a rubric, and what a class missed."""

import csv
import importlib.util
import sys
from pathlib import Path

import pytest
import yaml

from src.check import main
from src.checks import check_component
from src.checks.grading.rubric import Rubric
from src.checks.grading.sheet import write_sheets
from src.checks.grading.submissions import Submission
from src.checks.grading.summary import summaries
from src.checks.language import speaking
from src.checks.registry import KINDS, advice_of
from src.checks.results import Report, Result
from src.checks.sandbox.child import components_of
from src.entry import guarded

LESSON = Path(__file__).parents[2] / "docs/leccion"
HALVES = Rubric(best=10, enough=5, warning=0.5, other=0, weights={"a": 3, "b": 1})
WRONG = {
    "weights: {no_such_check: 1}": "there is no check no_such_check",
    "weights: {has_a_gradient: -1}": "must be numbers, at least 0",
    "grades: 3": "choose one of best",
    "best: ten": "must be a number",
    "asked: [network]": "must be a list of loss",
    "- 3": "must hold keys",
    "{": "is no YAML",
}


def report(kind="loss", **statuses):
    return Report("Mine", kind, tuple(Result(name, s, "seen") for name, s in statuses.items()))


@pytest.mark.parametrize(
    ("statuses", "grade"),
    [
        ({"a": "pass", "b": "pass"}, 10),
        ({"a": "fail", "b": "pass"}, 2.5),
        ({"a": "warn", "b": "pass"}, 6.25),
        ({"a": "pass", "b": "not-reached"}, 7.5),
        ({"a": "not-applicable", "b": "fail"}, 0),
        ({"a": "not-applicable", "b": "pass", "c": "fail"}, 10),
    ],
    ids=str,
)
def test_a_grade_is_the_share_of_the_weights_that_is_earned(statuses, grade):
    assert HALVES.grade([report(**statuses)]) == grade


def test_a_kind_that_is_asked_for_and_not_there_counts_as_missed():
    asked = Rubric(asked=("loss", "metric"))
    checks = len(advice_of("metric"))
    assert asked.grade([report(a="pass")]) == pytest.approx(10 / (1 + checks))
    assert asked.grade([]) == 0


@pytest.mark.parametrize(("content", "said"), WRONG.items())
def test_a_wrong_rubric_is_one_message(content, said, tmp_path, capsys):
    file = tmp_path / "rubric.yaml"
    file.write_text(content)
    assert guarded(lambda: main(["--submissions", str(tmp_path), "--rubric", str(file)])) == 2
    assert said in capsys.readouterr().err


def test_a_summary_names_what_each_class_missed_most(tmp_path):
    submissions = [
        Submission("a/one.py", (report(a="fail", b="fail"),)),
        Submission("a/two.py", (report(a="fail", b="pass"),)),
        Submission("b/deep/three.py", (report(a="pass", b="pass"),)),
        Submission("four.py", (), "cannot be imported"),
    ]
    found = {summary.name: summary for summary in summaries(submissions, HALVES)}
    assert list(found) == ["", "a", "b"]
    assert (found["a"].files, found["a"].passed, found["a"].grade) == (2, 0, 1.25)
    assert found["a"].missed == {"a": 2, "b": 1}
    assert (found["b"].passed, found["b"].grade, found[""].grade) == (1, 10, 0)
    write_sheets(tmp_path, submissions, HALVES)
    with (tmp_path / "summary.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["mean_grade"] for row in rows] == ["0.00", "1.25", "10.00"]
    assert rows[1]["failed_checks"] == "a:2 b:1"
    write_sheets(tmp_path, submissions)
    assert "1 of 4 files pass" in (tmp_path / "submissions.html").read_text("utf-8")
    with speaking("es"):
        *_, file = write_sheets(tmp_path, submissions, HALVES)
    page = file.read_text("utf-8")
    assert '<html lang="es">' in page
    assert "aprueban 1 de 4 archivos" in page
    assert "NO APRUEBA" in page


def test_the_rubric_of_the_lesson_weighs_what_the_lesson_teaches():
    rubric = Rubric.read(LESSON / "rubrica.yaml")
    assert set(rubric.asked) == set(KINDS)
    page = (LESSON.parent / "leccion.md").read_text("utf-8").split("## Errores comunes")[1]
    taught = {name for name in rubric.weights if f"`{name}`" in page.split("## ")[0]}
    assert len(taught) == 9
    assert min(rubric.weight(name) for name in taught) > rubric.other


def graded_by_what_weighs_most(file, rubric):
    """A submission's reports, of the checks that weigh more than the others alone."""
    spec = importlib.util.spec_from_file_location(f"example_{file.stem}", file)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    heavy = [name for name, weight in rubric.weights.items() if weight > rubric.other]
    names = components_of(module)
    return [check_component(getattr(module, name), only=heavy) for name in names]


def test_the_example_folder_is_graded_as_it_says():
    rubric = Rubric.read(LESSON / "rubrica.yaml")
    said = yaml.safe_load((LESSON / "entregas/esperado.yaml").read_text("utf-8"))
    files = {str(f.relative_to(LESSON / "entregas")) for f in LESSON.glob("entregas/*/*.py")}
    assert files == set(said["verdict"])
    for name, verdict in said["verdict"].items():
        if name in said["not_imported"]:
            with pytest.raises(NameError):
                graded_by_what_weighs_most(LESSON / "entregas" / name, rubric)
            continue
        reports = graded_by_what_weighs_most(LESSON / "entregas" / name, rubric)
        passes = rubric.grade(reports) >= rubric.enough
        assert verdict == ("PASS" if passes else "FAIL"), name
        failed = {check for report in reports for check in report.failed}
        assert set(said["failed"].get(name, ())) <= failed, name
        assert verdict == "FAIL" or not failed, name
