"""Rows reach the model as training read its file: without names, with commas, with its words."""

import io

import numpy as np
import pandas as pd
import pytest
from in_a_loop import asked
from starlette.responses import JSONResponse

from src.data.table import table
from src.saved_model.facts import ServingFacts
from src.serving.guard import Guard

Y = ["n", "n", "p"] * 20


def facts_of(folder, text, **options):
    """What a model would know that was trained on a file."""
    path = folder / "mine.csv"
    path.write_text(text)
    data = table(str(path), **options)
    return ServingFacts(
        data.class_names, (0.0, 0.0), data.input_shape, data.feature_names, data.preprocessing
    )


def send(facts, body, kind="text/csv"):
    """The status, and the features of the rows that come out behind the guard, or the message."""
    passed = []

    async def app(scope, receive, send):
        passed.append((await receive())["body"])
        await JSONResponse({})(scope, receive, send)

    status, answer = asked(Guard(app, facts), body.encode(), kind)
    if status != 200:
        return status, answer["message"]
    return 200, facts.table.transform(pd.read_parquet(io.BytesIO(passed[0])))


def lines(*columns, sep=","):
    return "\n".join(sep.join(map(str, row)) for row in zip(*columns, strict=True))


def test_rows_without_names_are_those_of_a_file_without_names(tmp_path):
    a, b = list(range(60)), ["x", "z", "w"] * 20
    facts = facts_of(tmp_path, lines(a, b, Y), header=False)
    expected = facts.table.transform(pd.DataFrame({"column_0": a, "column_1": b}))
    for body in (lines(a, b), lines(a, b, Y), "column_0,column_1\n" + lines(a, b)):
        status, found = send(facts, body)
        assert status == 200, found
        np.testing.assert_array_equal(found, expected)
    assert send(facts, lines(a)) == (400, send(facts, lines(a))[1])
    assert "has 1 columns; the model was trained on 2" in send(facts, lines(a))[1]


def test_numbers_are_read_as_training_found_them(tmp_path):
    dose = [f"{i / 10:.1f}".replace(".", ",") for i in range(60)]
    price = [f"€ {1000 + i}" for i in range(60)]
    facts = facts_of(tmp_path, "dose;price;y\n" + lines(dose, price, Y, sep=";"), delimiter=";")
    means, scales = facts.table.means, facts.table.scales
    right = (np.array([[6.2, 1234.0]]) - means) / scales
    for cells in ("6,2;€ 1234", "6,2;1234", "6,2;1234 €"):
        status, found = send(facts, f"dose;price\n{cells}")
        assert status == 200, found
        np.testing.assert_allclose(found, right, rtol=1e-6)
    rows = pd.DataFrame({"dose": ["6,2", 6.2], "price": [1234, "€1234"]}, dtype=object)
    np.testing.assert_allclose(facts.table.transform(rows), np.vstack([right, right]), rtol=1e-6)
    for cells, cell in (("6.2;1", "dose"), ("1;$ 9", "price"), ("1;1,234,5", "price")):
        status, message = send(facts, f"dose;price\n{cells}")
        assert status == 400
        assert f"row 1, column '{cell}'" in message
        assert "the numbers trained on have decimals after ','" in message


@pytest.mark.parametrize("options", [{}, {"na_values": ["unknown"]}])
def test_words_for_missing_cells_are_those_of_training(tmp_path, options):
    a = [*range(40), *["unknown"] * 20]
    facts = facts_of(tmp_path, "a,y\n" + lines(a, Y), max_categories=60, label="y", **options)
    status, found = send(facts, "a\n3\nunknown\n")
    assert status == 200, found
    if options:
        assert facts.feature_names == ("a", "a missing")
        assert found[1, 1] > 0 > found[0, 1]
    else:
        assert found[1, facts.feature_names.index("a=unknown")] == 1
