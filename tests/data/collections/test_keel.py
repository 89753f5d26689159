"""KEEL's data sets: what is read equals what pandas reads by hand; what is damaged is refused."""

import logging

import numpy as np
import pandas as pd
import pytest

from src.data.collections.keel import family_of, keel, keel_cache, keel_sets
from src.data.errors import DataError
from src.engine.build import load_dataset
from src.errors import UserError
from src.fetch import main
from src.runs.metadata import describe_run
from tests.data.collections.dat_files import HEADER, rows_of, write

TEN = (
    "abalone9-18",
    "car-good",
    "cleveland-0_vs_4",
    "ecoli-0-1_vs_5",
    "flare-F",
    "glass5",
    "kr-vs-k-zero_vs_eight",
    "lymphography-normal-fibrosis",
    "wisconsin",
    "yeast4",
)


def by_hand(file):
    """Features and labels of rows without a header, by pandas alone: text one column a value."""
    frame = pd.read_csv(file, header=None, skipinitialspace=True, na_values=["<null>"])
    labels = frame.pop(frame.columns[-1]).str.strip()
    text = frame.select_dtypes(exclude="number")
    numbers = frame.select_dtypes("number")
    values = [(name, value) for name in text for value in sorted(text[name].str.strip().unique())]
    one_hot = [text[name].str.strip() == value for name, value in values]
    return numbers, one_hot, labels


def in_order(x, y):
    """Rows with their labels, in an order that depends on nothing else."""
    table = np.column_stack([x.astype(np.float64).round(4), y])
    return table[np.lexsort(table.T[::-1])]


@pytest.mark.parametrize("name", TEN)
@pytest.mark.skipif(not keel_cache().is_dir(), reason="python -m src.fetch keel was not run")
def test_a_set_equals_reading_its_file_by_pandas(name):
    data = keel(name, seed=3)
    numbers, one_hot, labels = by_hand(keel_cache() / "imbalanced" / f"{name}.dat")
    fitted = data.preprocessing
    flags = numbers.isna().iloc[:, list(fitted.flagged)]
    filled = numbers.fillna(dict(zip(numbers, fitted.medians, strict=True)))
    scaled = (np.hstack([filled, flags]) - fitted.means) / fitted.scales
    expected = np.column_stack([scaled, *one_hot])
    x = np.vstack([data.x_train, data.x_val, data.x_test])
    y = np.concatenate([data.y_train, data.y_val, data.y_test])
    assert data.class_names == ("negative", "positive")
    found, right = in_order(x, y), in_order(expected, labels == "positive")
    np.testing.assert_allclose(found, right, atol=1e-3)


@pytest.mark.skipif(not keel_cache().is_dir(), reason="python -m src.fetch keel was not run")
def test_the_collection_has_a_hundred_imbalanced_sets_of_25_families_that_can_all_be_used():
    sets = [*keel_sets(imbalanced=True)]
    assert len(sets) == 100
    assert len({one.family for one in sets}) == 25
    assert [one.name for one in sets if one.unusable] == []
    assert {one.classes for one in sets} == {2}


def test_a_run_carries_name_family_and_source(resolved, tmp_path):
    write(tmp_path / "ecoli-0_vs_9.dat", rows_of())
    config = resolved("data=keel", "data.name=ecoli-0_vs_9", f"data.root={tmp_path}")
    data = [load_dataset(config["data"] | {"seed": seed}) for seed in (2, 3)]
    tags = describe_run(config, data[0]).tags
    assert (tags["data"], tags["data.family"]) == ("ecoli-0_vs_9", "ecoli")
    assert tags["data.source"] == f"{tmp_path}/ecoli-0_vs_9.dat"
    assert "data.licence" not in tags
    assert data[0] == data[1], "two seeds share a split"


def test_a_file_with_its_header_says_names_and_categories(tmp_path):
    write(tmp_path / "wards.dat", rows_of(), HEADER)
    data = keel("wards", root=str(tmp_path))
    assert data.feature_names == (
        *("Age", "blood pressure", "blood pressure missing"),
        *("ward=1", "ward=2", "ward=north"),
    )
    assert (data.name, data.family, data.source) == ("wards", "wards", f"{tmp_path}/wards.dat")
    assert np.bincount(np.concatenate([data.y_train, data.y_val, data.y_test])).tolist() == [45, 15]


def test_rows_without_a_header_give_the_same_numbers(tmp_path):
    write(tmp_path / "wards.dat", rows_of(), HEADER)
    write(tmp_path / "bare" / "wards.dat", [row.replace(", ", ",") for row in rows_of()])
    named, bare = keel("wards", root=str(tmp_path)), keel("wards", root=str(tmp_path / "bare"))
    assert named.fingerprint == bare.fingerprint
    assert bare.feature_names[:2] == ("column_0", "column_2")


def test_inputs_and_outputs_of_the_header_choose_the_columns(tmp_path):
    header = HEADER.replace("@inputs Age, ward,", "@inputs Age,").replace("@outputs Class\n", "")
    write(tmp_path / "wards.dat", rows_of(), header)
    names = keel("wards", root=str(tmp_path), drop=["blood pressure"]).feature_names
    assert names == ("Age",)


def test_seeds_split_anew_what_was_read_once(tmp_path, caplog):
    write(tmp_path / "yeast9.dat", [*rows_of(), rows_of()[0]])
    with caplog.at_level(logging.INFO):
        found = [keel("yeast9", root=str(tmp_path), seed=seed) for seed in (0, 1, 0)]
    assert found[0] == found[2] != found[1]
    assert caplog.text.count("1 of 61 rows have the features of an earlier row") == 1
    write(tmp_path / "yeast9.dat", rows_of())
    assert sum(keel("yeast9", root=str(tmp_path)).rows.values()) == 60


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("ecoli-0-1_vs_5", "ecoli"),
        ("ecoli3", "ecoli"),
        ("abalone9-18", "abalone"),
        ("kr-vs-k-zero_vs_eight", "kr-vs-k"),
        ("winequality-red-4", "winequality"),
        ("flare-F", "flare"),
        ("carbon", "carbon"),
    ],
)
def test_sets_cut_from_the_same_rows_share_a_family(name, family):
    assert family_of(name) == family


DAMAGED = {
    "cut in a row": (
        HEADER,
        [*rows_of(), "1.0, 2"],
        "row 61 of the data has 2 cells, the header 4",
    ),
    "cut in a row of a bare file": ("", [*rows_of(), "1.0"], "has 1 cells, the first row 4"),
    "cut before @data": (HEADER.replace("@data\n", ""), [], "no @data line"),
    "cut after @data": (HEADER, [], "no rows of data; is the file cut"),
    "rows before @data": (HEADER.replace("@data", "1,2,3"), ["@data", *rows_of()], "before @data"),
    "an unknown output": (HEADER.replace("outputs Class", "outputs Klass"), rows_of(), "'Class'"),
    "a word among numbers": (HEADER, [*rows_of(), "old, 2, 80, positive"], "'Age' .* holds 'old'"),
    "one class": (HEADER, rows_of()[1:4], "only one class, 'negative'"),
    "no text": ("\0\xff", rows_of(), "zero bytes"),
    "empty": ("", [], "is an empty file"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_file_is_one_error_that_names_it(tmp_path, damage):
    header, rows, said = DAMAGED[damage]
    write(tmp_path / "wards.dat", rows, header)
    with pytest.raises(DataError, match=rf"wards\.dat.*{said}"):
        keel("wards", root=str(tmp_path))


def test_a_name_that_is_not_there_shows_a_near_one(tmp_path):
    write(tmp_path / "imbalanced" / "yeast4.dat", rows_of())
    with pytest.raises(DataError, match=r"data.name=yaest4: .* Did you mean 'yeast4'\?"):
        keel("yaest4", root=str(tmp_path))
    with pytest.raises(DataError, match=r"holds no \.dat files"):
        keel("yeast4", root=str(tmp_path / "imbalanced" / "yeast4.dat"))


def test_without_the_collection_the_error_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(DataError, match=r"python -m src.fetch keel"):
        keel("yeast4")


def test_the_list_shows_sizes_families_and_why_a_set_cannot_be_used_and_warns_of_nothing(
    tmp_path, capsys, caplog
):
    write(tmp_path / "imbalanced" / "yeast4.dat", [*rows_of(), rows_of()[0]])
    write(tmp_path / "imbalanced" / "yeast5.dat", ["1,a", "2,a", "3,a", "3,b", "3,b", "3,b"])
    write(tmp_path / "imbalanced" / "zoo-3.dat", ["1,a", "2"])
    write(
        tmp_path / "balanced" / "iris.dat", [f"{row[-3:].count('v')},{row}" for row in rows_of(40)]
    )
    with pytest.raises(UserError, match=r"--folder none: is not there; `python -m src\.fetch keel"):
        main(["keel", "--list", "--folder", "none"])
    assert main(["keel", "--list", "--folder", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["yeast4", "yeast", "61", "3", "2", "16", "2.8", "2%"]
    assert "yeast5" in lines[2]
    assert "too few different rows of class 'b'" in lines[2]
    assert lines[3].endswith("has 1 cells, the first row 2; is the file cut or damaged?")
    assert lines[4].split()[:2] == ["iris", "iris"]
    assert lines[5].startswith("3 imbalanced sets of 2 families, 1 others; 2 cannot be used")
    assert not caplog.records
