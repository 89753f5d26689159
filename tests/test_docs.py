"""The pages tell the truth: code in them runs and prints what they say; links lead somewhere."""

import contextlib
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_page_on_components_prints_what_it_shows():
    page = (ROOT / "docs" / "components.md").read_text()
    code, shown = re.search(r"```python\n(.*?)```\s+```text\n(.*?)```", page, re.DOTALL).groups()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "docs/components.md", "exec"), {})
    assert printed.getvalue() == shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_and_files_named_on_a_page_exist(page):
    text = page.read_text()
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`make ([a-z-]+)", text):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for path in re.findall(r"`((?:src|conf|docs|tests)/[\w./-]+\.(?:py|yaml|md))`", text):
        assert (ROOT / path).exists(), path


def test_every_choice_of_a_group_stands_on_the_page_on_configuration():
    page = (ROOT / "docs" / "configuration.md").read_text()
    groups = "loss metric model data sampling estimator references tracking experiment"
    for group in groups.split():
        (row,) = re.findall(rf"^\| `{group}` \| (.*?) \|", page, re.MULTILINE)
        choices = {file.stem for file in (ROOT / "conf" / group).glob("*.yaml")}
        assert set(re.findall(r"`(\w+)`", row)) == choices
