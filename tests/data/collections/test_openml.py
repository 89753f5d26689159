"""OpenML's data sets, from answers in its own format: no test reaches the network.

An opener of urllib stands for the network, so that scikit-learn downloads, checks and caches as
ever. Titanic is OpenML's own answer, as scikit-learn carries it for its tests.
"""

import email.message
import gzip
import hashlib
import io
import json
import re
import urllib.error
import urllib.request
import urllib.response
from importlib import resources

import numpy as np
import pandas as pd
import pytest

from src.data.collections.openml import openml
from src.data.errors import DataError
from src.engine.build import load_dataset
from src.runs.metadata import describe_run
from tests.reliability.test_disk_full import room

ARFF = """% hand-made
@relation wards
@attribute number numeric
@attribute age numeric
@attribute 'ward' {1,'2',3}
@attribute note string
@attribute outcome {ill,well}
@data
"""
FEATURES = ("number", "age", "ward", "note", "outcome")


def rows_of(n=60):
    wards = ("1", "'2'", "3", "?")
    return [
        f"{i},{'?' if i % 9 == 4 else 20 + i / 2},{wards[i % 4]},'seen {i % 2}',"
        f"{'ill' if i % 3 == 0 else 'well'}"
        for i in range(n)
    ]


def answers_of(arff, *, targets=("outcome",), **description):
    """What OpenML answers about one data set, by the path of the address."""
    kinds = {"number": "numeric", "age": "numeric", "note": "string"}
    features = [
        {
            "index": str(i),
            "name": name,
            "data_type": kinds.get(name, "nominal"),
            "is_target": str(name in targets).lower(),
            "is_ignore": "false",
            "is_row_identifier": str(name == "number").lower(),
            "number_of_missing_values": "0",
        }
        for i, name in enumerate(FEATURES)
    ]
    facts = {
        "id": "7",
        "name": "Wards",
        "version": "2",
        "description": "Hand-made.",
        "format": "ARFF",
        "licence": "CC0",
        "url": "https://www.openml.org/data/v1/download/70/wards.arff",
        "status": "active",
        "md5_checksum": hashlib.md5(arff.encode()).hexdigest(),
    } | description
    listed = {"did": 7, "name": "Wards", "version": 2, "status": "active"}
    api, found = "api/v1/json/data", json.dumps({"data": {"dataset": [listed]}})
    return {
        f"{api}/list/data_name/wards/limit/2/data_version/2": found,
        f"{api}/list/data_name/wards/limit/2/status/active/": found,
        f"{api}/list/status/active": found,
        f"{api}/7": json.dumps({"data_set_description": facts}),
        f"{api}/features/7": json.dumps({"data_features": {"feature": features}}),
        f"{api}/qualities/7": json.dumps({"data_qualities": {"quality": []}}),
        "data/v1/download/70/wards.arff": arff,
    }


def titanic():
    """OpenML's own answers about data set 40945."""
    files = resources.files("sklearn.datasets.tests.data.openml.id_40945")
    return {
        path: gzip.decompress((files / f"{name}.gz").read_bytes()).decode()
        for path, name in {
            "api/v1/json/data/40945": "api-v1-jd-40945.json",
            "api/v1/json/data/features/40945": "api-v1-jdf-40945.json",
            "api/v1/json/data/qualities/40945": "api-v1-jdq-40945.json",
            "data/v1/download/16826755/Titanic.arff": "data-v1-dl-16826755.arff",
        }.items()
    }


class Network(urllib.request.HTTPSHandler):
    """Answers as OpenML does, with 412 for what it does not have; or not at all."""

    def __init__(self):
        super().__init__()
        self.answers, self.asked = {}, []

    def https_open(self, request):
        path = request.selector.lstrip("/")
        self.asked.append(path)
        if not self.answers:
            raise urllib.error.URLError("no network")
        headers = email.message.Message()
        body = self.answers.get(path, "").encode()
        if request.get_header("Accept-encoding") == "gzip":
            body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
        answer = urllib.response.addinfourl(
            io.BytesIO(body), headers, request.full_url, 200 if path in self.answers else 412
        )
        answer.msg = ""
        return answer


@pytest.fixture
def network():
    handler = Network()
    urllib.request.install_opener(urllib.request.build_opener(handler))
    yield handler
    urllib.request.install_opener(None)


def test_a_set_has_names_categories_missing_values_classes_and_licence_and_its_runs_too(
    network, resolved, tmp_path
):
    network.answers = answers_of(ARFF + "\n".join(rows_of()))
    words = ("data=openml", "data.name=Wards", "data.version=2", f"data.root={tmp_path}")
    config = resolved(*words)
    data = load_dataset(config["data"])
    assert data.feature_names == (
        *("age", "age missing"),
        *("ward=(missing)", "ward=1", "ward=2", "ward=3", "note=seen 0", "note=seen 1"),
    )
    assert data.class_names == ("ill", "well")
    assert sum(data.rows.values()) == 60
    tags = describe_run(config, data).tags
    assert (tags["data"], tags["data.family"], tags["data.licence"]) == ("Wards", "Wards", "CC0")
    assert tags["data.source"] == "https://www.openml.org/d/7"


def test_number_and_name_are_one_set_and_seeds_fetch_nothing_anew(network, tmp_path):
    network.answers = answers_of(ARFF + "\n".join(rows_of()))
    first = openml("wards", root=str(tmp_path), seed=1)
    asked = len(network.asked)
    assert openml("wards", root=str(tmp_path), seed=2) != first
    assert openml(id=7, root=str(tmp_path), seed=1) == first
    network.answers = {}
    assert openml(id=7, root=str(tmp_path), seed=1, max_categories=9) == first
    assert len(network.asked) == asked


def test_openmls_own_answer_equals_reading_it_by_pandas(network, tmp_path):
    network.answers = titanic()
    drop = ["name", "ticket", "cabin", "boat", "home.dest"]
    data = openml(id=40945, root=str(tmp_path), drop=drop)
    lines = network.answers["data/v1/download/16826755/Titanic.arff"].partition("@data")[2]
    names = re.findall(
        r"@attribute '(.+?)'", network.answers["data/v1/download/16826755/Titanic.arff"]
    )
    frame = pd.read_csv(io.StringIO(lines), header=None, names=names, na_values=["?"])
    assert data.licence == "Public"
    assert data.class_names == ("0", "1")
    y = np.concatenate([data.y_train, data.y_val, data.y_test])
    assert np.bincount(y).tolist() == frame.survived.value_counts().sort_index().tolist()
    x = np.vstack([data.x_train, data.x_val, data.x_test])
    fitted, numeric = data.preprocessing, ["pclass", "age", "sibsp", "parch", "fare", "body"]
    assert fitted.numeric == tuple(numeric)
    found = x[:, :6] * fitted.scales[:6] + fitted.means[:6]
    right = frame[numeric].fillna(dict(zip(numeric, fitted.medians, strict=True)))
    np.testing.assert_allclose(np.sort(found, axis=0), np.sort(right, axis=0), atol=1e-3)
    for name in ("sex", "embarked"):
        for value, rows in frame[name].value_counts(dropna=False).items():
            column = f"{name}={'(missing)' if pd.isna(value) else value}"
            assert x[:, data.feature_names.index(column)].sum() == rows


def test_a_target_of_ones_own(network, tmp_path):
    network.answers = answers_of(ARFF + "\n".join(rows_of()))
    assert openml(id=7, root=str(tmp_path), label="note").class_names == ("seen 0", "seen 1")
    with pytest.raises(DataError, match=r"'grade'; set data.label to a column"):
        openml(id=7, root=str(tmp_path), label="grade")


def test_without_a_network_there_is_one_error(network, tmp_path, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # scikit-learn tries four times
    with pytest.raises(DataError, match=r"data.id=7: OpenML cannot be reached \(.*no network"):
        openml(id=7, root=str(tmp_path))


def test_a_name_that_openml_does_not_have_shows_a_near_one(network, tmp_path):
    network.answers = answers_of(ARFF + "\n".join(rows_of()))
    with pytest.raises(DataError, match=r"No active dataset wrads found. Did you mean 'wards'\?"):
        openml("wrads", root=str(tmp_path))
    with pytest.raises(DataError, match=r"data.version=9: .*with version 9 not found"):
        openml("wards", version=9, root=str(tmp_path))
    with pytest.raises(DataError, match=r"data.id=9: Dataset with data_id 9 not found\.$"):
        openml(id=9, root=str(tmp_path))


WHOLE = ARFF + "\n".join(rows_of())
DAMAGED = {
    "cut, so with another sum": (answers_of(WHOLE) | {
        "data/v1/download/70/wards.arff": WHOLE[:-40]
    }, "md5 checksum"),
    "cut before @data": (answers_of(ARFF.replace("@data\n", "")), ""),
    "cut in a row": (answers_of(WHOLE.rpartition(",")[0]), "1 of 60 rows have no label"),
    "a row too long": (answers_of(f"{WHOLE}\n1,2,'1',x,ill,ill"), "Expected 5 fields"),
    "one class": (answers_of(ARFF + "\n".join(rows_of()[1:3] * 9)), "only one class, 'well'"),
    "no target": (answers_of(WHOLE, targets=()), "names none as the column to predict; set data"),
    "two targets": (answers_of(WHOLE, targets=("ward", "outcome")), "names 'ward', 'outcome'"),
    "sparse": (answers_of(WHOLE, format="Sparse_ARFF"), "Sparse ARFF"),
    "no JSON": (answers_of(WHOLE) | {"api/v1/json/data/7": "<html>"}, "Expecting value"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGED)
@pytest.mark.filterwarnings("ignore:Invalid cache")
def test_a_damaged_or_unusable_set_is_one_error(network, tmp_path, damage):
    network.answers, said = DAMAGED[damage]
    with pytest.raises(DataError, match=rf"^(data\.id=7|https://www\.openml\.org/d/7): .*{said}"):
        openml(id=7, root=str(tmp_path))


def test_a_cache_on_a_full_disk_is_one_error_and_keeps_nothing_half(network, tmp_path):
    network.answers = answers_of(WHOLE)
    with room(200), pytest.raises(DataError, match=r"data.id=7: cannot be cached or read: .*room"):
        openml(id=7, root=str(tmp_path))
    assert [file for file in tmp_path.rglob("wards.arff*") if file.is_file()] == []
    assert sum(openml(id=7, root=str(tmp_path)).rows.values()) == 60


def test_name_and_number_together_or_neither_is_refused(tmp_path):
    for given in ({}, {"dataset": "wards", "id": 7}):
        with pytest.raises(DataError, match=r"data.name or data.id must say"):
            openml(**given)
    with pytest.raises(DataError, match=r"data.version=2 cannot stand beside data.id"):
        openml(id=7, version=2)
