"""The checkout that the tests lie in, and the files that git keeps of it."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def tracked(*patterns: str) -> list[str]:
    """Names of the files that git keeps, all or those of the patterns."""
    listed = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not in a git checkout")
    return listed.stdout.splitlines()
