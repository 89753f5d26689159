"""`python -m src.check`: user mistakes, and files that hang, crash, exit and print."""

import csv
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from src.check import main
from src.entry import guarded

ROOT = Path(__file__).parents[2]
FILES = {
    "b_hangs.py": """
        import time
        def my_loss(y_true, y_pred):
            time.sleep(1000)
    """,
    "c_crashes.py": """
        import os
        import keras
        def my_loss(y_true, y_pred):
            if len(y_pred) == 1:
                print("going down", flush=True)
                os._exit(3)
            return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)
        class F1(keras.metrics.Metric):
            def __init__(self, num_classes, name="f1"):
                super().__init__(name=name)
                self.hits = self.add_weight((), "zeros")
            def update_state(self, y_true, y_pred, sample_weight=None):
                raise SystemExit(0)
    """,
    "d_exits.py": "import sys; sys.exit('bye')",
    "e_kills_the_child.py": """
        import os, signal
        os.kill(os.getppid(), signal.SIGKILL)
        os._exit(0)
    """,
    "f_empty.py": "x = 1  # <b>",
    "g_syntax.py": "def",
    "h_needs.py": """
        import keras
        class Strange(keras.losses.Loss):
            def __init__(self, something_else):
                super().__init__()
    """,
    "i_breaks_keras.py": """
        import keras
        keras.losses.Loss.__call__ = None
        keras.config.set_floatx("float64")
    """,
    "j_after_it.py": """
        import keras
        class Mine(keras.losses.Loss):
            def call(self, y_true, y_pred):
                return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)
    """,
}
FIRST = "A_leaves_a_process_writes_everywhere_and_prints.py"
LEFT_BEHIND = """
    import contextlib, os, time
    import keras
    for stream in range(3, 100):
        with contextlib.suppress(OSError):
            os.write(stream, b"0" * 100)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            with open({file!r}, "w") as stream:
                stream.write(str(os.getpid()))
            time.sleep(600)
        os._exit(0)
    def mse(y_true, y_pred):
        while not os.path.exists({file!r}):
            time.sleep(0.01)
        print("{{" * 100)
        return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)
"""
MISTAKES = {
    ("nowhere.at_all:X",): "there is no module nowhere",
    ("src.componets:MacroF1",): "did you mean components",
    ("src.components.metrics:MacroF",): "did you mean MacroF1",
    ("no/such/file.py:X",): "there is no file no/such/file.py",
    ("src.components",): "MODULE:NAME or FILE.py:NAME",
    (): "name a component",
    ("src.components:MacroF1", "--args", "{"): "is no JSON",
    ("src.components:MacroF1", "--args", "[1]"): "must be a JSON object",
    ("src.components:MacroF1", "--timeout", "0"): "must be a number of seconds > 0",
    ("src.components:MacroF1", "--timeout", "nan"): "must be a number of seconds > 0",
    ("src.components:mlp", "--input-shape", "8,x"): "--input-shape 8,x",
    ("--submissions", "no/such/folder"): "there is no such folder",
    ("--submissions", ".", "--json"): "--submissions takes",
    ("--submissions", ".", "--rubric", "no/such.yaml"): "there is no such file",
    (
        "src.components:MacroF1",
        "--rubric",
        "x.yaml",
    ): "--rubric is for a folder: give",
    (
        "src.components:MacroF1",
        "--out",
        "x",
    ): "--out is for a folder: give --submissions",
    ("src/components",): "--submissions src/components grades the files in it",
    ("src/checks/closeness.py",): ": say which component of it, src/checks/closeness.py:as_vector,",
}


@pytest.mark.parametrize(("arguments", "said"), MISTAKES.items(), ids=str)
def test_a_mistake_is_one_message_and_status_2(arguments, said, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert guarded(lambda: main(arguments)) == 2
    assert said in capsys.readouterr().err


def test_help_and_mistakes_load_no_tensorflow():
    code = (
        "import sys; from src.check import main; from src.entry import guarded\n"
        "guarded(lambda: main(['src.components:MacroG1']))\n"
        "try: main(['--help'])\n"
        "except SystemExit: print('tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "False False"
    assert "did you mean MacroF1" in done.stderr


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A folder of submissions, graded: status, rows by file, the page, a process left behind.

    By a rubric that takes off for failures alone, so that its verdicts are those without one.
    """
    folder = tmp_path_factory.mktemp("submissions")
    daemon = folder / "daemon"
    for name, text in {**FILES, FIRST: LEFT_BEHIND.format(file=str(daemon))}.items():
        (folder / name).write_text(textwrap.dedent(text))
    out = tmp_path_factory.mktemp("out")
    rubric = out / "rubric.yaml"
    rubric.write_text("{best: 10, enough: 10, warning: 1}")
    how = ("--out", str(out), "--timeout", "12", "--rubric", str(rubric))
    status = main(["--submissions", str(folder), *how])
    with (out / "submissions.csv").open() as stream:
        rows = {row["file"]: row for row in csv.DictReader(stream)}
    return status, rows, (out / "submissions.html").read_text(), int(daemon.read_text())


def test_every_file_has_one_row_whatever_the_others_do(graded):
    status, rows, page, _ = graded
    assert status == 1
    assert list(rows) == [FIRST, *FILES]
    passing = {name for name, row in rows.items() if row["verdict"] == "PASS"}
    assert passing == {"j_after_it.py", FIRST}
    assert all(name in page for name in FILES)
    assert "2 of 10 files pass" in page
    assert {row["grade"] for row in rows.values() if row["verdict"] == "PASS"} == {"10.00"}
    assert 0 < float(rows["c_crashes.py"]["grade"]) < 10
    assert rows["d_exits.py"]["grade"] == "0.00"


def test_what_a_submission_leaves_running_ends_with_it(graded):
    *_, process = graded
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_what_hangs_and_what_crashes_fails_in_that_check_and_the_rest_is_not_reached(graded):
    _, rows, page, _ = graded
    hangs, crashes = rows["b_hangs.py"], rows["c_crashes.py"]
    assert hangs["failed_checks"] == "takes_labels_and_predictions"
    assert (hangs["failed"], hangs["not_reached"]) == ("1", "14")
    assert "did not end within 12 s" in page
    assert crashes["failed_checks"].startswith("batch_does_not_change_a_sample ")
    assert int(crashes["not_reached"]) > 0
    assert "exit status 3; it last printed: going down" in page
    assert "sys.exit(0)" in page


def test_what_cannot_be_imported_or_made_says_so(graded):
    _, rows, *_ = graded
    assert "sys.exit('bye')" in rows["d_exits.py"]["problem"]
    assert "SyntaxError" in rows["g_syntax.py"]["problem"]
    assert "ended" in rows["e_kills_the_child.py"]["problem"]
    assert rows["f_empty.py"]["problem"] == "no loss, metric, layer or model in it"
    assert rows["h_needs.py"]["failed_checks"] == "can_be_imported"
    assert rows["i_breaks_keras.py"]["verdict"] == "FAIL"


def test_one_component_as_json_from_a_process_of_its_own(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "import keras\n"
        "class Mine(keras.metrics.Metric):\n"
        "    def __init__(self, num_classes, name='mine', **kwargs):\n"
        "        super().__init__(name=name, **kwargs)\n"
        "        self.total = self.add_weight((), 'zeros')\n"
        "    def update_state(self, y_true, y_pred, sample_weight=None):\n"
        "        self.total.assign_add(keras.ops.mean(y_pred[:, 0]))\n"
        "    def result(self): return self.total\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "src.check", f"{file}:Mine", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert report["kind"] == "metric"
    assert report["made_with"] == {"num_classes": 3}
    status = {check["name"]: check["status"] for check in report["checks"]}
    assert status["batching_does_not_change_the_result"] == "fail"
    assert status["config_round_trips"] == "fail"
    assert status["reset_state_forgets_everything"] == "pass"
    assert sum(report["counts"].values()) == len(status) == 16
