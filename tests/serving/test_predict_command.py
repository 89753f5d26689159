"""Files of rows are predicted in chunks; whatever is wrong is one message, and no half answer."""

import os
import pty
import re
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from src.entry import guarded
from src.errors import UserError
from src.predict import main
from src.promote import main as promote
from src.saved_model.predictor import Predictor
from src.serving import predict_file as reading

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def expected(in_use):
    return Predictor.load(in_use.folder).predict(in_use.raw)


@pytest.fixture
def predict(in_use, tmp_path, capsys, monkeypatch):
    """Runs the command on a file or table in an empty folder, a few rows at a time.

    Gives the answer, and what the command said.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(reading, "CHUNK", 77)

    def run(rows, *words, model=None, out="out.csv"):
        if isinstance(rows, pd.DataFrame):
            rows.to_csv("rows.csv", index=False)
            rows = "rows.csv"
        main([rows, "--model", model or str(in_use.folder), "-o", out, "--trust-code", *words])
        read = pd.read_parquet if out.endswith(".parquet") else pd.read_csv
        said = capsys.readouterr().out
        return read(out, **({"sep": "\t"} if out.endswith(".tsv") else {})), said

    return run


def same(found, expected):
    assert found["class"].tolist() == expected["class"].tolist()
    columns = expected.columns[1:]
    np.testing.assert_allclose(found[columns], expected[columns], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["rows.csv", "rows.tsv", "rows.parquet"])
@pytest.mark.parametrize("out", ["out.csv", "out.tsv", "out.parquet"])
def test_every_format_gives_the_same_answer(predict, in_use, expected, name, out):
    raw = in_use.raw
    if name.endswith("parquet"):
        raw.to_parquet(name)
    else:
        raw.to_csv(name, index=False, sep="\t" if name.endswith("tsv") else ",")
    found, said = predict(name, out=out)
    same(found, expected)
    assert found.columns.tolist() == ["class", "probability_ill", "probability_well"]
    assert "600 rows predicted" in said
    assert "Not used: patient" in said


def test_a_model_is_found_by_alias_by_run_and_by_folder(predict, in_use, expected):
    promote([in_use.run_id, "--name", "found", "--root", str(in_use.root)])
    store = ("--root", str(in_use.root))
    for model in ("found@champion", in_use.run_id, str(in_use.output)):
        same(predict(in_use.raw, *store, model=model)[0], expected)


def test_the_label_is_no_feature_and_gives_macro_f1(predict, in_use, expected):
    _, said = predict(in_use.raw)
    truth = f1_score(in_use.raw["outcome"], expected["class"], average="macro")
    shown = re.search(r"macro F1 over 600 rows with a known class: (\d\.\d+)", said)[1]
    assert float(shown) == pytest.approx(truth, abs=1e-4)
    found, said = predict(in_use.raw.drop(columns="outcome"))
    same(found, expected)
    assert "macro F1" not in said
    in_use.raw.assign(outcome=np.r_[["other"], in_use.raw["outcome"][1:]]).to_csv("rows.csv")
    _, said = predict("rows.csv", "--ignore-extra")
    assert "over 599 rows" in said


def test_a_chunk_reads_as_the_whole_file_does(predict, in_use, expected):
    """One row a chunk: `2` of a column with `3+`, `true` in lower case, a gap in every cell."""
    raw = in_use.raw.head(40).copy()
    raw["smoker"] = raw["smoker"].map({True: "true", False: "FALSE"})
    reading.CHUNK = 1
    same(predict(raw)[0], expected.head(40))


def test_the_decision_may_be_argmax(predict, in_use, expected):
    found, _ = predict(in_use.raw, "--decision", "argmax")
    largest = np.array(["ill", "well"])[found.iloc[:, 1:].to_numpy().argmax(axis=1)]
    assert (found["class"] == largest).all()
    assert (found["class"] != expected["class"]).any()
    assert not np.allclose(found.iloc[:, 1:], expected.iloc[:, 1:]), "it has weights of its own"


def test_columns_are_checked_by_name_before_anything_is_predicted(predict, in_use):
    raw = in_use.raw
    with pytest.raises(UserError, match=r"columns 'age' are missing.* Did you mean 'agee'\?"):
        predict(raw.rename(columns={"age": "agee"}))
    with pytest.raises(UserError, match="columns 'height' were not there in training; --ignore"):
        predict(raw.assign(height=1))
    assert len(predict("rows.csv", "--ignore-extra")[0]) == 600
    found, _ = predict("rows.csv", "--keep", "patient", "--keep", "height")
    assert found.columns.tolist()[:3] == ["patient", "height", "class"]
    assert found["patient"].tolist() == raw["patient"].tolist()
    with pytest.raises(UserError, match=r"--keep weight: is no column of rows\.csv"):
        predict("rows.csv", "--keep", "weight")


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("age", "forty", "'forty' is no number"),
        ("dose", "1e200", "beyond 1e\\+100"),
        ("age", "inf", "inf is infinite"),
    ],
)
def test_a_bad_cell_is_named_and_the_answer_from_before_stays(
    predict, in_use, column, cell, reason
):
    Path("out.csv").write_text("before")
    raw = in_use.raw.astype(object)
    raw.loc[432, column] = cell
    with pytest.raises(UserError, match=f"rows.csv: row 433, column '{column}': .*{reason}"):
        predict(raw)
    assert sorted(map(str, Path().iterdir())) == ["out.csv", "rows.csv"]
    assert Path("out.csv").read_text() == "before"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is an empty file"),
        (b"age,dose,ward,smoker,grade\n1,2\n1,2,x,True,1,9,9\n", "line 3|more cells"),
        (b"age,age\n1,2\n", "column names repeat: 'age'"),
        (b"40,5.5,north,True,1\n", "all of them.*--no-header"),
    ],
)
def test_a_file_that_is_no_table_of_rows_is_refused(predict, content, reason):
    Path("rows.csv").write_bytes(content)
    with pytest.raises(UserError, match=f"rows.csv: .*({reason})"):
        predict("rows.csv")
    assert [str(file) for file in Path().iterdir()] == ["rows.csv"]


def test_a_byte_order_mark_and_blanks_around_cells_do_no_harm(predict, in_use, expected):
    raw = in_use.raw.head(30)
    text = raw.to_csv(index=False).replace(",", " , ")
    Path("rows.csv").write_text(text, encoding="utf-8-sig")
    same(predict("rows.csv", "--keep", "patient")[0], expected.head(30))


def test_a_file_of_names_alone_gives_an_answer_without_rows(predict):
    Path("rows.csv").write_text("age,dose,ward,smoker,grade\n")
    found, said = predict("rows.csv")
    assert found.shape == (0, 3)
    assert "0 rows predicted" in said


def test_what_cannot_be_is_said_at_once(predict, in_use):
    in_use.raw.to_csv("rows.csv", index=False)
    wrong = {
        "does not exist": {"rows": "none.csv"},
        "right are .csv": {"rows": "rows.xls"},
        "right endings are": {"rows": "rows.csv", "out": "out.xls"},
        "is the file of rows itself": {"rows": "rows.csv", "out": "rows.csv"},
        "a folder that exists": {"rows": "rows.csv", "out": "no/out.csv"},
        "no NAME@ALIAS and no run id": {"rows": "rows.csv", "model": "what"},
        r"folder without serving\.json": {"rows": "rows.csv", "model": "."},
        "there is no store yet": {"rows": "rows.csv", "model": "a@b"},
    }
    Path("rows.xls").write_text("x")
    for reason, options in wrong.items():
        with pytest.raises(UserError, match=reason):
            predict(**options)
    with pytest.raises(UserError, match=r"nobody@champion: is not in the registry of .*; "):
        predict("rows.csv", "--root", str(in_use.root), model="nobody@champion")


def test_a_bare_keras_file_takes_features_and_says_what_it_lacks(predict, in_use, run_here):
    run_here(Path("run"), "data.n_samples=300", "data.minority_fraction=0.2", "tracking=none")
    features = np.load("run/input_example.npy")
    np.savez("rows.npz", x=features)
    found, said = predict("rows.npz", model="run/model.keras")
    assert "no preprocessing, class names or tuned thresholds" in said
    whole, _ = predict("rows.npz", "--decision", "argmax", model="run")
    np.testing.assert_array_equal(found.iloc[:, 1:], whole.iloc[:, 1:])
    assert set(found["class"]) <= {"class_0", "class_1"}
    network = keras.Sequential([keras.Input(features.shape[1:]), keras.layers.Dense(120)])
    network.layers[0].set_weights([np.zeros((features.shape[1], 120)), np.arange(120.0)])
    network.save("many.keras")
    assert "Classes: class_119 " in predict("rows.npz", model="many.keras")[1]
    with pytest.raises(UserError, match="no model can be loaded"):
        Path("broken.keras").write_bytes(b"x")
        predict("rows.npz", model="broken.keras")


def test_a_table_without_names_predicts_files_with_and_without_the_label(predict, run_here):
    rng = np.random.default_rng(0)
    raw = pd.DataFrame(rng.normal(size=(300, 3))).assign(y=np.tile(["a", "b"], 150))
    for place, order in {"last": [0, 1, 2, "y"], "first": ["y", 0, 1, 2]}.items():
        raw[order].to_csv(f"{place}.csv", index=False, header=False)
        label = -1 if place == "last" else 0
        words = (f"data.path={place}.csv", f"data.label={label}", "data.header=false")
        quick = ("tracking=none", "training.epochs=1", "force=true")
        run_here(Path(place), "data=table", *words, *quick)
        whole, said = predict(f"{place}.csv", model=place)
        assert "is the label" in said
        raw[[0, 1, 2]].to_csv("rows.csv", index=False, header=False)
        same(predict("rows.csv", model=place)[0], whole)
        raw[[0, 1]].to_csv("rows.csv", index=False, header=False)
        with pytest.raises(UserError, match=r"has 2 columns; .* Without names, right are 3 or 4"):
            predict("rows.csv", model=place)


def test_ten_times_the_rows_take_no_more_memory(predict, in_use):
    reading.CHUNK = 2000
    peaks = []
    for copies in (20, 200):
        pd.concat([in_use.raw] * copies).to_csv("rows.csv", index=False)
        tracemalloc.start()
        main(["rows.csv", "--model", str(in_use.folder), "-o", "out.csv", "--trust-code"])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]
    assert peaks[1] < Path("rows.csv").stat().st_size


def test_a_mistake_is_one_line_and_status_2(in_use, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    in_use.raw.to_csv("rows.csv", index=False)
    words = ["rows.csv", "--model", str(in_use.output), "-o", "out.csv", "--trust-code"]
    assert guarded(lambda: main([*words, "--keep", "nothing"])) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Error: --keep nothing: is no column of rows.csv: 'patient'")


def test_a_terminal_sees_the_time_left_and_an_interruption_leaves_nothing(in_use, tmp_path):
    names, body = in_use.raw.to_csv(index=False).split("\n", 1)
    (tmp_path / "rows.csv").write_text(f"{names}\n{body * 9000}")
    master, slave = pty.openpty()
    words = ["-m", "src.predict", "rows.csv", "--model", in_use.folder, "-o", "out.csv"]
    environment = {"PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(
        [sys.executable, *words, "--trust-code"],
        cwd=tmp_path,
        env=os.environ | environment,
        stdout=slave,
        stderr=slave,
        stdin=slave,
    )
    os.close(slave)
    shown = ""
    try:
        while not re.search(r"rows\.csv.*\d+%.*[1-9][\d,]* rows.*\d:\d\d", shown):
            shown += os.read(master, 4096).decode()
        assert [file.name for file in tmp_path.iterdir() if ".part" in file.name]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert "out.csv was not written" in os.read(master, 65536).decode()
    finally:
        process.kill()
        os.close(master)
    assert [file.name for file in tmp_path.iterdir()] == ["rows.csv"]


def test_a_column_of_numbers_is_kept_as_it_is_written(predict, in_use, expected):
    raw = in_use.raw.head(5).assign(age=[f"0{age}" for age in in_use.raw["age"].head(5)])
    raw.to_csv("rows.csv", index=False)
    found, _ = predict("rows.csv", "--keep", "age")
    same(found, expected.head(5))
    assert pd.read_csv("out.csv", dtype=str)["age"].tolist() == raw["age"].tolist()


def test_another_encoding_is_said(predict, in_use, expected):
    raw = in_use.raw.head(5).assign(patient="año")
    raw.to_csv("rows.csv", index=False, encoding="latin-1")
    with pytest.raises(UserError, match=r"is not UTF-8 text.*--encoding cp1252"):
        predict("rows.csv")
    found, _ = predict("rows.csv", "--encoding", "cp1252", "--keep", "patient")
    same(found, expected.head(5))
    assert found["patient"].tolist() == ["año"] * 5
    with pytest.raises(UserError, match="'klingon' is no encoding"):
        predict("rows.csv", "--encoding", "klingon")


def test_a_file_of_the_wrong_width_takes_no_memory(predict):
    """One row of 40,000,000 zeros: an archive of 40 kB."""
    np.savez_compressed("rows.npz", x=np.zeros((1, 40_000_000), np.uint8))
    pd.DataFrame({"age": [[0] * 10**6]}).to_parquet("rows.parquet")
    Path("rows.csv").write_bytes(b"age," * 1_000_000 + b"\n1")
    Path("long.csv").write_bytes(b"age,dose,ward,smoker,grade\n1,2," + b"x" * 50_000_000)
    os.mkfifo("pipe.csv")
    reasons = {
        "rows.npz": "has 40,000,000 columns",
        "rows.parquet": "holds list<",
        "rows.csv": "has 1,000,001 columns",
        "long.csv": "has a row of more than 16,777,216 bytes",
        "pipe.csv": "is a pipe or a device",
    }
    for name, reason in reasons.items():
        tracemalloc.start()
        with pytest.raises(UserError, match=reason):
            predict(name)
        assert tracemalloc.get_traced_memory()[1] < 60_000_000, name
        tracemalloc.stop()
