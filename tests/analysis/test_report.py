"""The report: whole in one file, the answer first, and nothing lost where pictures cannot be."""

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
from src.analysis.figures.forest import forest
from src.analysis.figures.predictions import confusion_matrix
from src.analysis.report.html import write_html
from src.analysis.selection import Selection, select_runs

SECTIONS = [
    *("answer", "difference", "losses", "compared"),
    *("epochs", "predictions", "limits", "details"),
]
FOREST = 2 * 2 + 1
"""Two losses at both decisions, and the axis."""
PANELS = FOREST + 2 + (3 * 2 + 2) + (2 + 2 + 2 + 2 + 1)
"""Curves for a desk and for a phone; matrices and predictions; what is folded."""
PIXELS = "data:image/png;base64,"
VOID = {"meta", "br", "img", "link", "input", "hr"}


def rendered(found, folder):
    """The report on an answer."""
    write_html(folder / "report.html", found)
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def compared(made):
    """The answer on the made sweep, its runs changed."""

    def at(change=lambda run: run, **facts):
        selection = select_runs(str(made.root))
        runs = [change(run) for run in selection.runs]
        return answer(replace(selection, runs=runs, **facts), "ce", 2.0, "argmax")

    return at


@pytest.fixture(scope="module")
def found(compared):
    return compared()


@pytest.fixture(scope="module")
def page(found, tmp_path_factory):
    return rendered(found, tmp_path_factory.mktemp("page"))


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


def test_it_is_one_well_formed_file_that_loads_nothing_and_links_every_run(made, page):
    elements = parsed(page)
    assert not {"script", "link", "iframe", "object", "img"} & {tag for tag, _ in elements}
    for _, attributes in elements:
        assert "src" not in attributes
        for name in ("href", "xlink:href"):
            target = attributes.get(name) or "#"
            assert target.startswith(("#", "http://127.0.0.1:5000/#/experiments/", PIXELS))
    assert not re.search(r"url\((?!['\"]?#)|@import", page)
    assert len(page) < 3_000_000
    experiment = made.client.get_experiment_by_name("made by hand").experiment_id
    for run_id in made.run_ids.values():
        assert f"/#/experiments/{experiment}/runs/{run_id}" in page


def test_the_sections_come_in_the_order_of_a_readers_questions(page):
    ids = [attributes["id"] for tag, attributes in parsed(page) if tag == "section"]
    assert ids == SECTIONS
    assert re.findall(r'<li><a href="#(\w+)"', page) == ids
    asked = html.unescape(re.search(r"<h1>(.*?)</h1>", page).group(1))
    assert asked == "Which loss on made, mlp: ce, weighted_ce or focal γ2?"
    assert "python train.py -m loss=ce,focal</pre>" in page
    assert page.count("<svg") == PANELS
    assert "Not drawn" not in page


def test_the_card_is_that_of_the_other_outputs(found, page):
    (card,) = found.cards
    text = html.unescape(page)
    assert f">{card.badge}</span> {card.headline}.</p>" in text
    assert f"<p>{card.step.text}:</p>\n<pre>{card.step.command}</pre>" in text
    assert text.count(card.step.command) <= 2  # on its card, and in the JSON


def test_the_forest_is_drawn_to_scale(found, page):
    """Ticks and means lie on one line: a place is a linear function of percentage points."""
    drawn = forest(found)
    (zero,) = [x for x, text in drawn.ticks if text == "0"]
    far, text = max(drawn.ticks)
    scale = (far - zero) / float(text)
    assert drawn.zero == zero
    assert drawn.region == pytest.approx((zero - 2 * scale, 4 * scale), abs=0.01)
    marks = [mark for _, _, of_loss in drawn.rows for mark in of_loss]
    assert [(m.found.label, m.name) for m in marks] == [
        (one.label, decision) for one in found.comparisons for decision in ("argmax", "tuned")
    ]
    for mark in marks:
        assert mark.x == pytest.approx(zero + scale * mark.found.mean, abs=0.01)
        assert f'cx="{mark.x}%"' in page or f'x1="{mark.x}%"' in page
        ends = [zero + scale * end for end in (mark.found.low, mark.found.high)]
        assert len(mark.cut) == sum(not 1.99 <= end <= 98.01 for end in ends)


def test_one_table_has_a_row_for_each_loss(found, page):
    losses = page[page.index('id="losses"') : page.index('id="compared"')]
    rows = re.findall(r"<tr><td>.*?</i>(.*?)</td>(.*?)</tr>", losses)
    by_name = {row.loss.short: row for row in found.rows(found.settings[0])}
    assert {name for name, _ in rows} == set(by_name)
    for name, cells in rows:
        shown = dict(re.findall(r'data-name="(.*?)">(?:<span[^>]*>)?(.*?)<', cells))
        row = by_name[name]
        assert shown["F1 argmax"] == f"{row.loss.means['test_f1_macro']:.3f}"
        assert shown["F1 tuned"] == f"{row.loss.means['test_tuned_f1_macro']:.3f}"
        assert shown["its recall"] == f"{row.loss.means['test_recall_class_1']:.3f}"
        assert shown["verdict"] == (row.found.verdict if row.found else "baseline")


def test_what_was_compared_is_counted_in_each_split(made, page):
    arrays = made.predictions["ce", 0]
    shares = [100 * arrays[f"y_{split}"].mean() for split in ("val", "test")]
    assert f"few: 5.0 / {shares[0]:.1f} / {shares[1]:.1f} %" in page
    assert "600 / 200 / 200 (training / validation / test)" in page


def test_no_folder_of_the_machine_and_no_run_id_is_in_the_text(made, page):
    text = re.sub(r"<svg.*?</svg>|<style>.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL)
    commands = set(re.findall(r"python -m src.promote (\w+)", text))
    assert set(re.findall(r"\b[0-9a-f]{32}\b", text)) == commands
    assert str(made.root) not in page


def test_pictures_are_named_and_keep_their_text_as_text(page):
    pictures = [attributes for tag, attributes in parsed(page) if tag == "svg"]
    assert all(one["role"] == "img" and one["aria-label"] for one in pictures)
    assert page.count("<text") > 100
    assert "validation macro F1</text>" in page


def test_the_same_answer_gives_the_same_bytes(compared, page, tmp_path):
    assert rendered(compared(), tmp_path) == page


def test_both_decisions_have_matrices_of_their_own(page):
    shares = {
        decision: re.findall(
            r">(\d+\.\d) %<", page[page.index(f"<strong>ce, {decision}<") :].partition("</svg>")[0]
        )
        for decision in ("argmax", "tuned")
    }
    assert all(map(len, shares.values()))
    assert shares["argmax"] != shares["tuned"]


@pytest.mark.parametrize("address", ["mlflow-artifacts:/1/abc/artifacts", "", "file:///nowhere"])
def test_artifacts_elsewhere_leave_one_line_instead_of_pictures(compared, tmp_path, address):
    page = rendered(compared(lambda run: replace(run, artifacts=address)), tmp_path)
    ids = [attributes["id"] for tag, attributes in parsed(page) if tag == "section"]
    assert ids == [one for one in SECTIONS if one not in {"epochs", "predictions"}]
    (line,) = re.findall("<li>Not drawn: (.*)</li>", page)
    assert line.startswith("Macro F1 by epoch, Log loss by epoch, Gradient norm by epoch, Tr")
    assert line.count("no run of these has") == 2
    assert page.count("<svg") == FOREST + 2 + 1


def test_a_broken_or_missing_file_costs_its_run_alone(made, compared, tmp_path):
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

    page = rendered(compared(moved), tmp_path)
    assert page.count("<svg") == PANELS
    assert "Test splits of 5 seeds" in page
    assert "Mean over 5 seeds" in page


def test_names_and_commands_from_outside_are_text_without_folders(compared, tmp_path):
    evil = "<b onmouseover='x'>&loss</b>"
    typed = "train.py -m data.path=/home/someone/own/rows.csv loss=ce,focal"

    def renamed(run):
        return replace(run, label=evil, title=evil) if run.loss == "focal" else run

    page = rendered(compared(renamed, command=typed), tmp_path)
    parsed(page)
    assert "<b" not in page.replace("<body", "")
    assert "data.path=…/rows.csv" in page
    assert "someone" not in page


@pytest.mark.parametrize("classes", [21, 100, 500])
def test_a_confusion_matrix_of_many_classes_stays_small(classes):
    y = np.repeat(np.arange(classes), 3)
    said = np.random.default_rng(0).integers(0, classes, len(y))
    seen = Predictions(y, np.eye(classes)[said], said)
    names = tuple(f"class {k}" for k in range(classes))
    summary = SimpleNamespace(short="ce", runs=[SimpleNamespace(class_names=names)])
    panel = confusion_matrix(
        SimpleNamespace(decision="argmax", predictions=[seen], summary=summary)
    )
    assert PIXELS in panel.svg
    assert len(panel.svg) < 100_000


def test_a_sweep_that_tunes_shows_given_settings_and_what_was_chosen(tmp_path):
    """At 0.01 validation is best for both; at 0.001 focal loss gains, which only its row says."""
    scores = {"0.001": {"ce": 0.6, "focal": 0.7}, "0.01": {"ce": 0.8, "focal": 0.8}}
    noise = {"ce": 0.001, "focal": 0.0}
    runs = [
        made_run(
            loss,
            seed,
            0,
            setting=rate,
            params={"training.learning_rate": rate},
            metrics={
                "test_f1_macro": f1 + (-1) ** seed * noise[loss],
                "val_crossfit_f1_macro": float(rate),
            },
        )
        for rate, of_losses in scores.items()
        for loss, f1 in of_losses.items()
        for seed in range(5)
    ]
    page = rendered(answer(Selection("made", "x", runs, []), "ce", 2.0, "argmax"), tmp_path)
    parsed(page)
    assert "each loss at its own best learning rate" in page[: page.index('id="difference"')]
    assert "at 0.001, argmax</div>" in page
    assert "<li>focal: learning rate chosen: 0.01 x 5 (2 trials a seed)</li>" in page
    given = page[page.index("At given settings") :].partition("</table>")[0]
    rows = re.findall(r"<td>focal</td><td[^>]*>([\d.]+)</td>.*?class=\"(\w+)\"", given)
    assert rows == [("0.001", "gain"), ("0.01", "equivalent")]
