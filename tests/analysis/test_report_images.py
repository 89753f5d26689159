"""Images in the report: the test images themselves, those that losses judge differently, off."""

import base64
import io
import re

import numpy as np
import pytest
import yaml
from made_store import made_run
from matplotlib.image import imread

from src.analysis.answer import answer
from src.analysis.report.html import write_html
from src.analysis.report.images import image_section
from src.analysis.selection import Selection
from src.data.digits import digits

NODE = {"name": "digits", "_target_": "src.data.digits.digits", "seed": 0, "seeds_per_split": 2}
RARE = 9
MISSED = {"ce": (5, 3), "focal": (2,)}
"""Of the test images of the rarest class, by place, those that a loss calls 8."""
SURE = 0.4
"""Added to the logit of the wrong class for each place."""


@pytest.fixture(scope="module")
def data():
    return digits(seed=0, rare_classes=[RARE])


@pytest.fixture(scope="module")
def rare_rows(data):
    return np.flatnonzero(data.y_test == RARE)


@pytest.fixture
def compared(data, rare_rows, tmp_path):
    """The answer on two losses with one seed, whose record has some config."""

    def at(config):
        runs = []
        for loss, missed in MISSED.items():
            folder = tmp_path / loss
            folder.mkdir()
            logits = 5 * np.eye(10, dtype=np.float32)[data.y_test]
            for place in missed:
                logits[rare_rows[place], 8] = 6 + SURE * place
            arrays = {"y_val": data.y_val, "y_test": data.y_test, "test_logits": logits}
            np.savez(folder / "predictions.npz", **arrays)
            (folder / "config.yaml").write_text(yaml.safe_dump(config))
            facts = {"class_names": data.class_names, "class_counts": data.class_counts}
            facts |= {"fingerprint": data.fingerprint, "input_shape": data.input_shape}
            runs.append(made_run(loss, 0, 0.9, artifacts=str(folder), **facts))
        return answer(Selection("made", "x", runs, []), "ce", 2.0, "argmax")

    return at


@pytest.fixture
def rendered(compared, tmp_path):
    """The report on them."""

    def at(config):
        write_html(tmp_path / "report.html", compared(config))
        return (tmp_path / "report.html").read_text(encoding="utf-8")

    return at


RECORD = {"data": NODE | {"rare_classes": [RARE]}, "report": {"images": True}}


def pictures(page):
    """Pixels of each picture, 0 to 255, and the text below it."""
    pattern = r'<img src="data:image/png;base64,(.*?)".*?<figcaption>(.*?)</fig'
    found = re.findall(pattern, page, re.DOTALL)
    return [
        (np.rint(255 * imread(io.BytesIO(base64.b64decode(src)))), re.sub(r"<.*?>", " ", text))
        for src, text in found
    ]


def test_the_pictures_are_the_images_that_the_losses_judge_differently(rendered, data, rare_rows):
    page = rendered(RECORD)
    assert 'data-name="difference (pp)">+0.0</td>' in page  # one seed has no interval
    judged, mistakes = page.split("Judged differently")[1].split("<h3>Worst mistakes")
    mistakes = mistakes.partition("<h3>")[0]
    shown = pictures(judged)
    wanted = [rare_rows[place] for place in (2, 5, 3)]  # which ce has right, and then wrong
    assert [pixels.tolist() for pixels, _ in shown] == [
        np.rint(255 * data.x_test[row, ..., 0]).tolist() for row in wanted
    ]
    probability = np.exp(6.8) / (np.exp(6.8) + np.exp(5) + 8)
    assert re.findall(r"[89] (\d+) %", shown[0][1])[1] == f"{100 * probability:.0f}"
    worst = pictures(mistakes)
    rows = [rare_rows[place] for place in (5, 3, 2)]  # the surest mistake of each loss first
    assert [pixels.tolist() for pixels, _ in worst] == [
        np.rint(255 * data.x_test[row, ..., 0]).tolist() for row in rows
    ]
    assert f"misses 2 of {len(rare_rows)}" in mistakes
    assert (
        f"focal and ce differ on 3 of {len(data.y_test)}: focal alone is right on 2, ce alone on 1."
    ) in page
    table = page.split("Images of each class")[1].partition("<tbody>")[2].partition("</tbody>")[0]
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in table.strip().splitlines()]
    shown = {name: counts for name, *counts in rows}
    for k, name in enumerate(data.class_names):
        counts = [np.count_nonzero(y == k) for y in (data.y_train, data.y_val, data.y_test)]
        assert shown[name] == [str(count) for count in counts]


GONE = {"_target_": "src.data.images.fashion_mnist.fashion_mnist", "root": "/home/someone/gone"}


@pytest.mark.parametrize(
    ("record", "options", "reason"),
    [
        (RECORD, {"pictures": False}, "report.images=false"),
        (RECORD | {"report": {"images": False}}, {}, "report.images=false keeps"),
        (RECORD | {"data": NODE | {"seed": 7}}, {}, "the data have changed since"),
        (RECORD | {"data": {"_target_": "os.system", "command": "x"}}, {}, "is not built from"),
        (RECORD | {"data": GONE}, {}, "cannot be loaded again"),
    ],
    ids=["asked for", "recorded", "changed", "foreign", "gone"],
)
def test_without_pictures_a_reason_stands_beside_the_numbers(compared, record, options, reason):
    found = compared(record)
    section = image_section(found, found.settings[0], **options)
    assert reason in section.not_shown
    assert section.judgements.judged() == []
    assert [found[1:] for found in section.judgements.mistakes()] == [(2, []), (1, [])]
    assert "focal alone is right on 2" in section.judgements.differences()[0]


def test_a_page_without_pictures_names_no_folder_of_the_machine(rendered):
    page = rendered(RECORD | {"data": GONE})
    assert "<img" not in page
    assert "No pictures: the data cannot be loaded again" in page
    assert "Images of each class" in page
    assert "someone" not in page
