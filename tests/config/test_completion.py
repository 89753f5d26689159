"""Shell completion as documented: a real bash, asked what it would complete."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ASK = r"""
eval "$(python train.py -sc install=bash)"
answer() {
    COMP_LINE=$1; COMP_POINT=${#1}; COMP_WORDS=($1); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    COMPREPLY=(); hydra_bash_completion; echo "${COMPREPLY[*]}"
}
complete -p python
answer "python train.py loss="
answer "python train.py +experiment=my"
answer "python train.py -m model=mlp training.ep"
"""


def test_bash_completes_groups_choices_and_keys():
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    done = subprocess.run(
        [bash, "-c", ASK],
        cwd=ROOT,
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    registered, losses, experiments, keys = done.stdout.splitlines()
    assert "hydra_bash_completion" in registered
    there = {file.stem for file in (ROOT / "conf" / "loss").glob("*.yaml")}
    assert set(losses.split()) == {f"loss={name}" for name in there}
    assert experiments == "+experiment=my_data"
    assert keys == "training.epochs="
    assert "Error" not in done.stderr
