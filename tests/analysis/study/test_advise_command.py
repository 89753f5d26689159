"""`python -m src.advise` on a small file: what it says, as text and as JSON, and its errors."""

import json
import shlex

import numpy as np
import pandas as pd
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from src.advise import main
from src.entry import message as said_of
from src.evaluation.overlap import class_overlap
from tests.analysis.study.test_advice_before_training import made_study


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A file of two classes, semicolons between its cells, and a study."""
    folder = tmp_path_factory.mktemp("advise")
    rng = np.random.default_rng(0)
    kind = rng.choice(["common", "rare one"], 300, p=[0.85, 0.15])
    x = rng.normal(size=(300, 3)) + (kind == "rare one")[:, None]
    frame = pd.DataFrame(x, columns=["a", "b", "c"]).assign(kind=kind)
    frame.to_csv(folder / "my rows.csv", index=False, sep=";")
    made_study(3.0).to_csv(folder / "sets.csv", index=False)
    made_study(0.0, families=4).to_csv(folder / "few.csv", index=False)
    return folder


@pytest.fixture(autouse=True)
def _inside(files, monkeypatch):
    monkeypatch.chdir(files)


FILE = ["my rows.csv", "data.delimiter=semicolon", "--label", "kind", "--study", "sets.csv"]


def test_it_says_what_to_expect_in_lines_of_a_terminal(capsys):
    assert main(FILE) == 0
    said = capsys.readouterr().out
    rare = (pd.read_csv("my rows.csv", sep=";")["kind"] == "rare one").sum()
    assert f"my rows.csv: 300 rows, 3 columns, 2 classes; the rarest class has {rare} rows" in said
    assert "24 families" in said
    assert "focal, argmax *" in said
    *text, following = said.splitlines()
    assert max(map(len, text)) <= 80
    words = shlex.split(following.removeprefix("Next: python train.py -m "))
    parsed = OverridesParser.create().parse_overrides(words)
    assert [one.value() for one in parsed[1:]] == ["my rows.csv", "kind", "semicolon"]


def test_json_holds_all_of_it(capsys):
    main([*FILE, "--json"])
    found = json.loads(capsys.readouterr().out)
    frame = pd.read_csv("my rows.csv", sep=";")
    x = frame[["a", "b", "c"]]
    y = (frame["kind"] == "rare one").astype(int)
    overlap = class_overlap(((x - x.mean()) / x.std()).to_numpy(), y.to_numpy())
    assert found["table"]["overlap"] == pytest.approx(overlap, abs=0.03)  # scaled by training rows
    assert found["table"]["ratio"] == (300 - y.sum()) / y.sum()
    assert {one["method"] for one in found["gains"]} == {"ce", "focal", "balanced"}
    assert all(one["low"] <= one["expected"] <= one["high"] for one in found["gains"])


def test_the_check_is_a_page_on_whether_prediction_beats_the_average(capsys):
    main(["--check", "--study", "sets.csv"])
    said = capsys.readouterr().out
    assert "left out once" in said
    assert "| the best by prediction from the other families |" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([*FILE[:-1], "gone.csv"], "--study gone.csv: no such file"),
        ([*FILE[:-1], "my rows.csv"], "my rows.csv: lacks data, family"),
        ([*FILE[:-1], "few.csv"], "the study has 4 families"),
        (["--study", "sets.csv"], "FILE is missing"),
        (["my rows.csv", "kind"], "kind: is no KEY=VALUE; the column to predict is named by --lab"),
        (["--check", *FILE], "--check: is about the whole study; leave out FILE"),
        ([*FILE[:2], "--label", "kin", *FILE[4:]], "Did you mean 'kind'"),
        ([FILE[0], "data.delimitr=tab", *FILE[4:]], "delimitr"),
    ],
)
def test_mistakes_are_one_message(words, message):
    with pytest.raises(Exception) as caught:
        main(words)
    assert message in said_of(caught.value)
