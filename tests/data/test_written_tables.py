"""Tables as people have them: other numbers, words, encodings and first lines, read as meant."""

import codecs
import io
import os
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.data.errors import DataError
from src.data.table import table
from src.data.tabular import parquet_table
from src.data.tabular.number_format import PLAIN, NumberFormat

ROWS = 60
RNG = np.random.default_rng(0)
DOSE = RNG.integers(-99, 99, ROWS) / 10
INCOME = RNG.integers(500, 3_000_000, ROWS)
Y = ["n", "n", "p"] * (ROWS // 3)


def swiss(value):
    return f"{value:,}".replace(",", "'")


def german(value):
    return f"{value:,}".replace(",", " ").replace(".", ",").replace(" ", ".")


def read(folder, content, name="mine.csv", **options):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return table(str(path), "y", **options)


def written(sep, dose=str, income=str, quote=False):
    rows = [
        [dose(d), income(i), y] for d, i, y in zip(DOSE.tolist(), INCOME.tolist(), Y, strict=True)
    ]
    quoted = [[f'"{cell}"' if quote else cell for cell in row] for row in rows]
    return "\n".join(map(sep.join, [["dose", "income", "y"], *quoted]))


@pytest.fixture
def plain(tmp_path):
    return read(tmp_path, written(","), "plain.csv")


@pytest.mark.parametrize(
    ("content", "given"),
    [
        (written(";", dose=german), {}),
        (written(";", dose=german, income=german), {}),
        (written(";", dose=german, income=german), {"decimal": ",", "thousands": "."}),
        (written(",", income=lambda i: f"{i:,}", quote=True), {}),
        (written(";", income=lambda i: f"{i:,}"), {"thousands": ","}),
        (written("\t", income=lambda i: f"{i:,}".replace(",", "\u202f")), {"delimiter": "\t"}),
        (written(",", income=swiss), {}),
        (written(",", dose=lambda d: f"{d}%", income=lambda i: f"$ {i}"), {}),
        (written(";", dose=lambda d: f"{german(d)} %", income=lambda i: f"{german(i)} €"), {}),
        (written(",", dose=lambda d: f"{d}" if d < 0 else f"+{d}"), {}),
    ],
)
def test_numbers_are_the_same_however_they_are_written(tmp_path, plain, content, given):
    given = given | ({"delimiter": ";"} if content.startswith("dose;") else {})
    found = read(tmp_path, content, **given)
    assert found.feature_names == plain.feature_names == ("dose", "income")
    for split in ("x_train", "x_val", "x_test"):
        np.testing.assert_allclose(getattr(found, split), getattr(plain, split), rtol=0, atol=1e-6)


@given(
    value=st.decimals(-(10**9), 10**9, places=3).map(float),
    decimal=st.sampled_from(".,"),
    thousands=st.sampled_from([None, ",", ".", " ", "'"]),
    sign=st.sampled_from(["", "%", "€"]),
)
def test_a_number_is_read_as_it_was_written(value, decimal, thousands, sign):
    if decimal == thousands:
        return
    text = f"{value:,.3f}".replace(",", "_").replace(".", decimal).replace("_", thousands or "")
    form = NumberFormat(decimal, thousands, sign)
    cells = pd.Series([text, f"{text}{sign}", f"{sign} {text}", None, "x"])
    np.testing.assert_array_equal(form.read(cells), [value] * 3 + [np.nan] * 2)


def test_a_separator_that_is_in_no_place_for_one_makes_no_number():
    """pandas, told of the same separators, makes 62 and 12 of these."""
    for form, text in ((NumberFormat(".", ","), "6,2"), (NumberFormat(",", "."), "1.2")):
        assert np.isnan(form.read(pd.Series([text]))[0])
    assert np.isnan(PLAIN.read(pd.Series(["1,234", "$5", "0x1F", "1_0", "nan", "٣"]))).all()


def test_numbers_that_can_be_read_in_two_ways_are_asked_about(tmp_path):
    content = "y;a\n" + "".join(f"{y};{i},{i:03}\n" for i, y in enumerate(Y, 1))
    message = r"""'1,001'.*in two ways; set .data.decimal=.*thousands=.* or .data.decimal="""
    with pytest.raises(DataError, match=message):
        read(tmp_path, content, delimiter=";")
    means = {}
    for decimal in ".,":
        found = read(tmp_path, content, delimiter=";", decimal=decimal)
        means[decimal] = found.preprocessing.means[0]
    assert means["."] == pytest.approx(1000 * means[","])


def test_words_among_numbers_are_told_and_may_count_as_missing(tmp_path, caplog, plain):
    cells = iter([*range(12)] * 5)
    content = written(",", dose=lambda d: "unknown" if d < -8 else str(next(cells)))
    read(tmp_path, content)
    assert "'dose' is of numbers but for 'unknown'" in caplog.text
    found = read(tmp_path, content, na_values=["unknown"])
    assert found.feature_names == ("dose", "income", "dose missing")
    assert read(tmp_path, content, na_values={"dose": ["unknown"]}) == found
    assert "dose missing" not in read(tmp_path, content, na_values={"y": ["unknown"]}).feature_names


@pytest.mark.parametrize("cells", [["$1", "€2"], ["6,25", "6.2"], ["12%", "0.5"]])
def test_numbers_in_two_formats_are_told(tmp_path, caplog, cells):
    dose = iter(cells * ROWS)
    read(tmp_path, written(";", dose=lambda d: next(dose)), delimiter=";")
    assert "'dose' holds numbers written in more than one way, such as '" in caplog.text


@pytest.mark.parametrize("word", ["None", "NA", "null"])
def test_a_class_that_is_called_none_is_kept_where_asked(tmp_path, word):
    content = written(",").replace(",n\n", f",{word}\n").replace("\n-", "\n,1,p\n-", 1)
    with pytest.raises(DataError, match=r"called None, NA or such.*data.keep_default_na=false"):
        read(tmp_path, content)
    found = read(tmp_path, content, keep_default_na=False)
    assert found.class_names == tuple(sorted([word, "n", "p"])[-2:] if word > "n" else (word, "p"))
    assert found.feature_names[:2] == ("dose", "income")  # an empty cell is missing all the same


@pytest.mark.parametrize(
    ("content", "given"),
    [
        (("sep=;\n" + written(";", dose=german)).encode(), {}),
        (codecs.BOM_UTF8 + ("sep=;\r\n" + written(";")).encode(), {}),
        (codecs.BOM_UTF8 + written(",").encode(), {"encoding": "latin-1"}),
        (written(",").encode("utf-16"), {}),
        (written(",").encode("utf-16-le"), {"encoding": "utf-16-le"}),
        (written(",").replace("\n", "\r\n").encode(), {}),
        (b"\n\n" + written(",").encode(), {}),
    ],
)
def test_first_lines_and_marks_are_no_data(tmp_path, plain, content, given):
    assert read(tmp_path, content, **given).fingerprint == plain.fingerprint


def test_the_encoding_is_asked_for_and_taken(tmp_path):
    content = written(",").replace(",n\n", ",año\n").encode("latin-1")
    with pytest.raises(DataError, match=r"is not UTF-8 text.*data.encoding=cp1252"):
        read(tmp_path, content)
    assert read(tmp_path, content, encoding="latin-1").class_names[0] == "año"


@pytest.mark.parametrize("name", ["Unnamed: 0", "Unnamed: 0.1", "", "__index_level_0__"])
def test_a_column_that_was_an_index_is_suspected(tmp_path, caplog, name):
    frame = pd.read_csv(io.StringIO(written(","))).reset_index()
    frame = frame.rename(columns={"index": name})
    content = frame.to_csv(index=False)
    assert read(tmp_path, content).feature_names == (name or "column_0", "dose", "income")
    said = "row number, which can give the label away, leave it out with 'data.drop=[0]'"
    assert said in caplog.text
    assert read(tmp_path, content, drop=[0]).feature_names == ("dose", "income")
    if name:
        caplog.clear()
        frame.to_parquet(tmp_path / "mine.parquet")
        table(str(tmp_path / "mine.parquet"), "y")
        assert "data.drop=[0]" in caplog.text


def test_what_is_no_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", "/dev/null"):
        with pytest.raises(DataError, match="is a pipe or a device; save"):
            table(str(path), "y")


HUGE = {  # made for their test alone, since they take as much memory as they are large
    "a million columns": lambda: b"\n".join([b",".join([b"%d" % i for i in range(1_000_000)])] * 2),
    "a cell of 100 MB": lambda: b"a,y\n1,p\n" + b"x" * 100_000_000 + b",n\n",
    "a name of 100 MB": lambda: b"x" * 100_000_000 + b",y\n1,n\n",
    "an open quote in the names": lambda: b'a,"y\n' + b"1,n\n" * 10_000_000,
    "short rows of a wide table": lambda: b"a," * 49_999 + b"y" + b"\n1" * 11_000,
}


@pytest.mark.parametrize("name", HUGE)
def test_text_that_is_too_large_for_a_table_takes_no_memory(tmp_path, name):
    (tmp_path / "mine.csv").write_bytes(HUGE[name]())
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=r"columns|row of more|cells that fit|cannot be read"):
            table(str(tmp_path / "mine.csv"), "y")
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()


def test_a_cell_of_parquet_that_is_no_tables_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_table, "LARGEST_PART", 2**20)
    frame = pd.DataFrame({"a": ["x" * 2**21, *"bcd" * 20], "y": ["p", *Y]})
    frame.to_parquet(tmp_path / "mine.parquet")
    with pytest.raises(DataError, match=r"a row group of 122 cells takes 2,\d+,\d+ bytes"):
        table(str(tmp_path / "mine.parquet"), "y")
