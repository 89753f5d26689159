"""One browser for all tests of a page; without Chromium they skip."""

import pytest

from src.compare import main as compare
from tests.browser.driving import browser, chromium


@pytest.fixture(scope="session")
def context():
    """A fresh profile of a real browser."""
    executable = chromium()
    if executable is None:
        pytest.skip("no Chromium: install it, or name it in the variable CHROMIUM")
    with browser(executable) as opened:
        yield opened


@pytest.fixture
def page(context):
    """An empty page, with the addresses that it asks for in ``requests``."""
    opened = context.new_page()
    opened.requests = []
    opened.on("request", lambda request: opened.requests.append(request.url))
    yield opened
    for one in context.pages[1:]:
        one.close()


@pytest.fixture(scope="session")
def report(sweep, tmp_path_factory):
    """The comparison of the sweep, which also goes onto its run in the store."""
    folder = tmp_path_factory.mktemp("report")
    compare(["--root", sweep.tracking["root"], "--out", str(folder)])
    return folder / "report.html"
