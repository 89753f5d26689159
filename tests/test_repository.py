"""The repository keeps its word: dependencies, make targets, layout, imports, style."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.checkout import ROOT, tracked

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "requirements.lock").read_text()
EXTRA_LOCKS = {
    extra: (ROOT / f"requirements-{extra}.lock").read_text() for extra in ("cluster", "backends")
}
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text())

BELOW = {
    "errors": "",
    "entry": "errors",
    "compat": "errors",
    "components": "errors",
    "checks": "errors entry compat",
    "config": "errors compat",
    "data": "errors config",
    "evaluation": "errors",
    "saved_model": "errors components data",
    "engine": "errors compat components data config evaluation",
    "references": "errors data config evaluation",
    "runs": "errors components data config evaluation saved_model engine references",
    "tracking": "errors entry compat data config saved_model runs",
    "sweeps": "errors entry compat data config runs tracking",
    "analysis": "errors data evaluation runs tracking",
    "serving": "errors data saved_model runs tracking",
    "jobs": "errors compat data config evaluation engine references runs tracking sweeps",
}
"""What each room imports of the project, from the bottom up; commands stand on all of them."""


def locked_versions(lock: str = LOCK) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)", lock, flags=re.MULTILINE))


def declared() -> list[Requirement]:
    lists = [PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"].values()]
    return [Requirement(line) for lines in lists for line in lines]


# --- dependencies -------------------------------------------------------------------------------
@pytest.mark.parametrize("requirement", declared(), ids=lambda requirement: requirement.name)
def test_lock_holds_every_declared_dependency_in_a_version_that_is_asked_for(requirement):
    version = locked_versions()[requirement.name.lower().replace("_", "-")]
    assert requirement.specifier.contains(version)


@pytest.mark.parametrize("lock", [LOCK, *EXTRA_LOCKS.values()], ids=["main", *EXTRA_LOCKS])
def test_lock_pins_one_version_of_each_package_by_hash_and_names_no_index(lock):
    pins = re.findall(r"^([a-z0-9][a-z0-9._-]*)==", lock, flags=re.MULTILINE)
    assert len(pins) == len(set(pins)) > 50
    assert "://" not in lock
    assert "--index" not in lock
    pinned = "".join(line for line in lock.splitlines(keepends=True) if line[0] != "#")
    for block in re.split(r"\n(?=\S)", pinned.strip()):
        assert "--hash=sha256:" in block


@pytest.mark.parametrize("name", EXTRA_LOCKS)
def test_the_lock_of_an_extra_adds_its_packages_to_those_of_the_main_one(name):
    extra = [Requirement(line) for line in PROJECT["project"]["optional-dependencies"][name]]
    base = [Requirement(line) for line in PROJECT["project"]["dependencies"]]
    versions = locked_versions(EXTRA_LOCKS[name])
    for requirement in [*extra, *base]:
        assert requirement.specifier.contains(versions[requirement.name.lower()]), requirement
    main = locked_versions()
    assert {name: main[name] for name in versions if name in main} == {
        name: version for name, version in versions.items() if name in main
    }


def test_conda_environment_takes_the_lock_and_the_same_pythons():
    packages = ENVIRONMENT["dependencies"]
    (pip,) = [entry["pip"] for entry in packages if isinstance(entry, dict)]
    assert pip == ["-r requirements.lock"]
    (python,) = [entry for entry in packages if str(entry).startswith("python")]
    supported = SpecifierSet(PROJECT["project"]["requires-python"])
    assert SpecifierSet(python.removeprefix("python")) == supported
    assert ENVIRONMENT["name"] == PROJECT["project"]["name"]


def test_makefile_accepts_just_the_pythons_that_the_project_supports():
    makefile = (ROOT / "Makefile").read_text()
    low, high = re.search(r"\((3, \d+)\) <= .* < \((3, \d+)\)", makefile).groups()
    bounds = [tuple(int(part) for part in bound.split(",")) for bound in (low, high)]
    text = f">={bounds[0][0]}.{bounds[0][1]},<{bounds[1][0]}.{bounds[1][1]}"
    assert SpecifierSet(text) == SpecifierSet(PROJECT["project"]["requires-python"])


def test_this_environment_is_the_locked_one():
    import importlib.metadata

    locked = locked_versions()
    for requirement in declared():
        installed = importlib.metadata.version(requirement.name)
        assert installed == locked[requirement.name.lower()]


# --- make ---------------------------------------------------------------------------------------
def test_make_help_lists_every_target():
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", makefile, flags=re.MULTILINE).group(1).split()
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in phony:
        assert re.search(rf"make {target} +\S", shown.stdout), target


def test_continuous_integration_calls_make_test():
    lines = [line for line in (ROOT / ".ci/run").read_text().splitlines() if line]
    commands = [line for line in lines if not line.startswith(("#", "set ", "cd "))]
    assert commands == ["exec make test"]


# --- layout -------------------------------------------------------------------------------------
def test_of_runs_only_the_readmes_are_tracked():
    names = tracked("mlruns", "multirun", "outputs")
    assert names == ["mlruns/README.md", "multirun/README.md"]


def test_no_data_model_or_database_is_tracked():
    """But for the sets of a study, and for its table, which advice before training goes by."""
    forbidden = (".keras", ".h5", ".db", ".csv", ".npz", ".npy", ".gz", ".parquet", ".pkl")
    found = {name for name in tracked() if name.endswith(forbidden)}
    assert found <= {"conf/study/climb.csv", "docs/evidence/sets.csv"}


def imports_of(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / "src" / folder).rglob("*.py"))


def test_components_import_nothing_of_the_project():
    for file in sources("components"):
        assert not [name for name in imports_of(file) if name.split(".")[0] == "src"], file


def test_every_room_has_a_row_and_no_row_names_a_room_above_it():
    rooms = {folder.name for folder in (ROOT / "src").glob("*/") if list(folder.glob("*.py"))}
    assert rooms == BELOW.keys() - {"errors", "entry"}
    order = list(BELOW)
    for room, below in BELOW.items():
        assert set(below.split()) <= set(order[: order.index(room)]), room


@pytest.mark.parametrize("room", BELOW)
def test_imports_run_downward(room):
    for file in [*sources(room), *(ROOT / "src").glob(f"{room}.py")]:
        used = {name.split(".")[1] for name in imports_of(file) if name.startswith("src.")}
        assert used <= {*BELOW[room].split(), room}, file


def test_analysis_and_data_load_no_tensorflow():
    modules = [
        ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for layer in ("analysis", "config", "data")
        for file in sources(layer)
        if file.name != "__init__.py"
    ]
    commands = (
        "src.advise, src.compare, src.predict, src.promote, src.serve, src.serving.predict_file"
    )
    code = f"import {', '.join(modules)}, {commands}, sys; print('tensorflow' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


# --- style --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "command",
    [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]],
    ids=" ".join,
)
def test_style_and_types_are_clean(command):
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
