"""The report in a real browser: on a phone, on a desk, and on paper."""

import pytest

OVERFLOW = """() => {
    const width = document.documentElement.clientWidth;
    return [...document.querySelectorAll("body *")]
        .filter(one => !one.closest(".scroll") && one.getBoundingClientRect().right > width + 1)
        .map(one => one.tagName + ": " + one.textContent.trim().slice(0, 40));
}"""


@pytest.fixture
def opened(page, report):
    """The report on a page."""

    def at(width):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(report.as_uri())
        return page

    return at


@pytest.mark.parametrize("width", [400, 1200])
def test_it_needs_no_scrolling_to_the_side(opened, width):
    page = opened(width)
    sizes = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert sizes[0] <= sizes[1]
    assert page.evaluate(OVERFLOW) == []


def test_it_loads_nothing_but_itself_and_says_nothing_wrong(opened, report):
    page = opened(1200)
    problems = []
    page.on("console", lambda message: problems.append(message.text))
    page.reload()
    assert set(page.requests) == {report.as_uri()}
    assert problems == []


def test_every_picture_is_drawn(opened):
    page = opened(1200)
    pictures = page.locator("figure svg")
    assert pictures.count() >= 8
    for box in pictures.evaluate_all("all => all.map(one => one.getBoundingClientRect().toJSON())"):
        assert box["width"] > 100
        assert box["height"] > 100
    images = page.locator("img").evaluate_all("all => all.map(one => one.naturalWidth)")
    assert all(images)


def test_the_verdict_stands_first_and_the_recommendation_with_its_run_behind(opened, children):
    page = opened(1200)
    verdict, first = page.locator("body > *").nth(0), page.locator("body > *").nth(1).inner_text()
    assert verdict.inner_text().startswith("Undecided. focal γ")
    assert "one seed: spread unknown" in verdict.inner_text()
    assert first.startswith("Recommendation.")
    assert any(run.info.run_id in first for run in children.values())
    assert "test split" in first


def test_paper_holds_all_of_it(opened):
    page = opened(794)  # A4 at 96 dots an inch
    page.emulate_media(media="print")
    try:
        assert page.evaluate(OVERFLOW) == []
        assert page.locator("table").last.is_visible()
        assert page.pdf(format="A4").startswith(b"%PDF")
    finally:
        page.emulate_media(media="screen")
