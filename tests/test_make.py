"""`make setup` with stand-ins for Python, pip and uv: what is called, and what is left alone."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = ("sh", "awk", "sed", "touch", "mkdir", "rm", "cat", "chmod", "grep")
PYTHON = """#!/bin/sh
# A Python that makes an environment of stand-ins, and a pip that writes down what it is told.
case "$*" in
"-m venv "*)
    mkdir -p "$3/bin" "$3/lib/python3.12/site-packages"
    cat "$0" > "$3/bin/python" && chmod +x "$3/bin/python" ;;
*"config list")
    echo ":env:.find-links='/wheels here'"; echo "global.find-links='/others'" ;;
*"-r /dev/stdin")
    echo "pip $*: $(cat | tr -d '\\n')" >> "$LOG"
    [ -z "$NO_UV" ] && cat "$STAND_IN" > "${0%python}uv" && chmod +x "${0%python}uv" ;;
*) echo "pip $*" >> "$LOG" ;;
esac
"""
UV = """#!/bin/sh
echo "uv $* from $UV_FIND_LINKS" >> "$LOG"
[ -z "$FAILS" ]
"""


@pytest.fixture
def clone(tmp_path):
    """A folder with the Makefile and a lock file, and stand-ins beside it."""
    for name in ("Makefile", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "tools").mkdir()
    for tool in (*TOOLS, "tr", "dirname"):
        (tmp_path / "tools" / tool).symlink_to(shutil.which(tool))
    for name, text in (("python", PYTHON), ("uv", UV)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return tmp_path


def make(clone, *words, on_path=(), **environment):
    """Runs make with stand-ins alone on the path; the outcome, and what was called."""
    for name in on_path:
        shutil.copy(clone / name, clone / "tools")
    (clone / "log").write_text("")
    done = subprocess.run(
        [shutil.which("make"), f"PYTHON={clone}/python", *words],
        cwd=clone,
        env={
            "PATH": f"{clone}/tools",
            "LOG": f"{clone}/log",
            "STAND_IN": f"{clone}/uv",
            "LC_ALL": "C",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done, (clone / "log").read_text().splitlines()


def test_uv_from_the_path_installs_the_lock_by_hash_with_the_settings_of_pip(clone):
    done, called = make(clone, "setup", on_path=["uv"])
    assert done.returncode == 0, done.stderr
    (line,) = called
    assert line.startswith("uv pip sync ")
    assert "--require-hashes requirements.lock" in line
    assert line.endswith("from /wheels here")
    assert (clone / ".venv" / ".made-by-make").exists()
    (anywhere,) = (clone / ".venv").rglob("imbalance-lab.pth")
    assert anywhere.read_text() == f"{clone}\n"
    command = (clone / ".venv" / "bin" / "imbalance-lab").read_text()
    assert command.endswith(f'exec "{clone}/.venv/bin/python" "{clone}/src/__main__.py" "$@"\n')
    _, called = make(clone, "setup")
    assert called == []


def test_without_uv_the_one_of_the_lock_is_installed_by_its_hash(clone):
    done, called = make(clone, "setup")
    assert done.returncode == 0, done.stderr
    pip, uv = called
    assert "install --quiet --require-hashes -r /dev/stdin: uv==" in pip
    assert re.findall(r"(\S+)==", pip.partition(": ")[2]) == ["uv"]
    assert "--hash=sha256:" in pip
    assert uv.startswith("uv pip sync ")


@pytest.mark.parametrize("without", [{"NO_UV": "1"}, {"FAILS": "1"}], ids=["none", "fails"])
def test_where_uv_cannot_be_had_or_fails_pip_installs_the_lock_by_hash(clone, without):
    done, called = make(clone, "setup", **without)
    assert done.returncode == 0, done.stderr
    assert called[-1].endswith("install --quiet --compile --require-hashes -r requirements.lock")
    assert (clone / ".venv" / ".ready").exists()


def test_a_new_lock_brings_the_environment_up_to_date(clone):
    make(clone, "setup", on_path=["uv"])
    (clone / ".venv" / "kept").touch()
    os.utime(clone / ".venv" / ".ready", (1, 1))
    done, called = make(clone, "setup")
    assert done.returncode == 0, done.stderr
    assert [line.split()[:3] for line in called] == [["uv", "pip", "sync"]]
    assert (clone / ".venv" / "kept").exists()


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_an_environment_that_make_has_not_made_is_never_changed(clone, kind):
    venv = clone / ".venv"
    folder = clone / "elsewhere" if kind == "link" else venv
    (folder / "bin").mkdir(parents=True)
    (folder / "mine").touch()
    if kind == "link":
        venv.symlink_to(folder)
        (folder / ".made-by-make").touch()
    before = sorted(folder.rglob("*"))
    for target in ("setup", "test"):
        done, called = make(clone, target, on_path=["uv"])
        assert done.returncode == 2
        (said, _) = done.stderr.splitlines()
        assert said.startswith("Error: .venv is a link, or was not made by make, and lacks ")
        assert said.endswith("Remove it, or name another folder with make VENV=other")
        assert called == []
    make(clone, "clean")
    assert sorted(folder.rglob("*")) == before
    assert venv.exists()
    assert make(clone, "setup", "VENV=other")[0].returncode == 0

    shutil.copy(clone / "uv", folder / "bin" / "uv")  # which finds nothing missing
    done, (checked,) = make(clone, "setup")
    assert done.returncode == 0, done.stderr
    assert "--offline --dry-run" in checked


def test_clean_removes_what_make_made(clone):
    make(clone, "setup", on_path=["uv"])
    assert make(clone, "clean")[0].returncode == 0
    assert not (clone / ".venv").exists()


def test_no_index_is_named():
    for name in ("Makefile", "environment.yml", "pyproject.toml", "requirements.lock"):
        text = (ROOT / name).read_text()
        assert not re.search(r"https?://(?!127\.0\.0\.1)|--index-url|--extra-index", text), name


def test_the_homework_confirms_on_none_of_the_seeds_that_its_settings_were_chosen_on(clone):
    done, _ = make(clone, "-n", "homework", "SEEDS=range(5,7)")
    first, fresh = re.findall(r"train\.py (-m .*experiment=homework.*)", done.stdout)
    assert "'seed=range(0,10)'" in first
    assert "'seed=range(5,7)'" in fresh
    (chosen_on,) = re.findall(r"tuning\.chosen_on=\[([0-9,]*)\]", fresh)
    assert chosen_on.split(",") == [str(seed) for seed in range(10)]


@pytest.mark.parametrize("target", ["reproduce", "homework", "fashion-mnist", "atlas"])
def test_a_launcher_that_is_given_holds_for_every_sweep(clone, target):
    for words, given in (((), False), (("AT_ONCE=hydra/launcher=serial",), True)):
        done, _ = make(clone, "-n", target, *words)
        sweeps = [line for line in done.stdout.splitlines() if "train.py -m" in line]
        assert sweeps
        assert all(("hydra/launcher=" in line) == given for line in sweeps)
