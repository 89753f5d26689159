"""Tables on the page are renewed; what was written by hand stays."""

import pytest

from benchmarks import programs
from benchmarks.__main__ import main
from benchmarks.timing.page import PAGE, replaced
from src.errors import UserError

TEXT = "# Performance\n\nBy hand.\n\n<!-- bench one -->\n\nold\n\n<!-- /bench one -->\n\nAlso.\n"


def test_a_part_is_renewed_between_its_markers_and_nothing_else():
    page = replaced(TEXT, "one", "| new \\1 |")
    assert page == TEXT.replace("old", "| new \\1 |")
    assert replaced(page, "one", "old") == TEXT


def test_a_new_part_comes_at_the_end():
    page = replaced(TEXT, "two", "table")
    assert page.startswith(TEXT.rstrip())
    assert page.endswith("## two\n\n<!-- bench two -->\n\ntable\n\n<!-- /bench two -->\n")


def test_a_marker_that_stands_alone_is_refused():
    with pytest.raises(UserError, match="bench one"):
        replaced(TEXT.replace("<!-- /bench one -->", ""), "one", "new")


def test_an_unknown_program_is_named_with_those_there_are():
    with pytest.raises(UserError, match=r"--only nonsense.*training_step"):
        main(["--only", "nonsense"])


def test_the_page_has_a_part_for_each_program_that_reports_here():
    page = PAGE.read_text()
    for name in ("machine", *programs()):
        assert f"<!-- bench {name} -->" in page
