"""The report: whole in one file, the sentence first, and nothing lost where pictures cannot be."""

import html
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
from made_store import made_run

from src.analysis.answer import answer
from src.analysis.figures.evidence import Predictions
from src.analysis.figures.predictions import confusion_matrix
from src.analysis.report.html import write_html
from src.analysis.selection import Selection, select_runs

HEADINGS = (
    "Differences by seed",
    "Macro F1 by epoch",
    "Gradient norm by epoch",
    "The loss as a function of the true class&#39;s probability",
    "Precision and recall of the rarest class",
    "Reliability",
    "Confusion matrices, by argmax",
    "Runs",
)
PANELS = 1 + 2 + 3 + 2 + 3
"""Overview; two losses by seed; training; predictions; three matrices."""
PIXELS = "data:image/png;base64,"
VOID = {"meta", "br", "img", "link", "input", "hr"}


def rendered(made, folder, decision="argmax", change=lambda run: run):
    """The report on the made sweep, its runs changed."""
    selection = select_runs(str(made.root))
    selection = replace(selection, runs=[change(run) for run in selection.runs])
    write_html(folder / "report.html", answer(selection, "ce", 2.0, decision))
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(made, tmp_path_factory):
    return rendered(made, tmp_path_factory.mktemp("page"))


class Nesting(HTMLParser):
    """Collects elements and their attributes, and refuses tags that are closed out of order."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parsed(page):
    parser = Nesting()
    parser.feed(page)
    assert parser.open == []
    return parser.seen


def test_it_is_one_well_formed_file_that_loads_nothing(page):
    elements = parsed(page)
    assert not {"script", "link", "iframe", "object", "img"} & {tag for tag, _ in elements}
    for _, attributes in elements:
        assert "src" not in attributes
        for name in ("href", "xlink:href"):
            target = attributes.get(name) or "#"
            assert target.startswith(("#", "http://127.0.0.1:5000/#/experiments/", PIXELS))
    assert not re.search(r"url\((?!['\"]?#)|@import", page)


def test_the_sentence_comes_first(page):
    first = re.search(r"<h1>(.*?)</h1>", page).group(1)
    assert re.match(r"On new samples of this kind, \S+ changes macro F1 by \+", first)
    assert page.index("<h1>") < page.index("<svg")


def test_the_card_is_that_of_the_other_outputs(made, page):
    (card,) = answer(select_runs(str(made.root)), "ce", 2.0, "argmax").cards
    text = html.unescape(page)
    assert text.index(f"{card.badge.capitalize()}.</strong> {card.headline}.") < text.index("<h1>")
    assert f"{card.step.text}: <code>{card.step.command}</code>" in text


def test_every_part_is_there(page):
    for heading in HEADINGS:
        assert heading in page
    assert page.count("<svg") == PANELS
    assert "Not drawn" not in page


def test_pictures_are_named_and_keep_their_text_as_text(page):
    pictures = [attributes for tag, attributes in parsed(page) if tag == "svg"]
    assert all(one["role"] == "img" and one["aria-label"] for one in pictures)
    assert page.count("<text") > 100
    assert "validation macro F1</text>" in page


def test_every_run_is_linked_by_its_id(made, page):
    experiment = made.client.get_experiment_by_name("made by hand").experiment_id
    for run_id in made.run_ids.values():
        assert f"/#/experiments/{experiment}/runs/{run_id}" in page


def test_the_same_answer_gives_the_same_bytes(made, page, tmp_path):
    assert rendered(made, tmp_path) == page


def test_tuned_decisions_draw_their_own_matrices(made, page, tmp_path):
    tuned = rendered(made, tmp_path, "tuned")
    assert "Confusion matrices, by thresholds tuned on the validation split" in tuned
    shares = re.compile(r">(\d+\.\d) %<")
    assert shares.findall(tuned) != shares.findall(page)


@pytest.mark.parametrize("address", ["mlflow-artifacts:/1/abc/artifacts", "", "file:///nowhere"])
def test_artifacts_elsewhere_leave_a_sentence_instead_of_a_picture(made, tmp_path, address):
    page = rendered(made, tmp_path, change=lambda run: replace(run, artifacts=address))
    parsed(page)
    assert page.count("Not drawn: no run of these has") == 2 + 2 + 3
    assert page.count("<svg") == PANELS - 7


def test_a_broken_or_missing_file_costs_its_run_alone(made, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(made.root / "artifacts", copy)
    for (_, seed), run_id in made.run_ids.items():
        folder = copy / run_id / "artifacts"
        if seed == 0:
            (folder / "predictions.npz").write_bytes(b"PK\x03\x04 cut off")
            (folder / "history.csv").write_text("epoch,val_f1_macro\n1,many\n")
        if seed == 1:
            (folder / "predictions.npz").unlink()
            (folder / "history.csv").unlink()

    def moved(run):
        return replace(run, artifacts=str(copy / run.run_id / "artifacts"))

    page = rendered(made, tmp_path, change=moved)
    assert page.count("<svg") == PANELS
    assert "Test splits of 5 seeds" in page
    assert "Mean over 5 seeds" in page


def test_names_from_outside_are_text_not_markup(made, tmp_path):
    evil = "<b onmouseover='x'>&loss</b>"

    def renamed(run):
        return replace(run, label=evil, title=evil) if run.loss == "focal" else run

    page = rendered(made, tmp_path, change=renamed)
    assert "<b" not in page.replace("<body", "")
    parsed(page)


@pytest.mark.parametrize("classes", [21, 100, 500])
def test_a_confusion_matrix_of_many_classes_stays_small(classes):
    y = np.repeat(np.arange(classes), 3)
    said = np.random.default_rng(0).integers(0, classes, len(y))
    seen = Predictions(y, np.eye(classes)[said], said)
    names = tuple(f"class {k}" for k in range(classes))
    summary = SimpleNamespace(runs=[SimpleNamespace(class_names=names)])
    panel = confusion_matrix(SimpleNamespace(short="ce", predictions=[seen], summary=summary))
    assert PIXELS in panel.svg
    assert len(panel.svg) < 100_000


def test_a_sweep_that_tunes_shows_given_settings_and_what_was_chosen(tmp_path):
    """At 0.01 validation is best for both; at 0.001 focal loss gains, which only its row says."""
    scores = {
        ("ce", "0.001"): 0.6,
        ("focal", "0.001"): 0.7,
        ("ce", "0.01"): 0.8,
        ("focal", "0.01"): 0.8,
    }
    runs = [
        made_run(
            loss,
            seed,
            f1 + 0.001 * (-1) ** seed * (loss == "ce"),
            setting=rate,
            params={"training.learning_rate": rate},
            metrics={
                "test_f1_macro": f1 + 0.001 * (-1) ** seed * (loss == "ce"),
                "val_crossfit_f1_macro": float(rate),
            },
        )
        for (loss, rate), f1 in scores.items()
        for seed in range(5)
    ]
    write_html(tmp_path / "r.html", answer(Selection("made", "x", runs, []), "ce", 2.0, "argmax"))
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    parsed(page)
    assert "each loss at its own best learning rate" in re.search(r"<h1>(.*?)</h1>", page).group(1)
    assert "<li>focal: learning rate chosen: 0.01 x 5 (2 trials a seed)</li>" in page
    given = page[page.index("At given settings") :].partition("</table>")[0]
    rows = re.findall(r"<td>focal</td><td[^>]*>([\d.]+)</td>.*?class=\"(\w+)\"", given)
    assert rows == [("0.001", "gain"), ("0.01", "equivalent")]
