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


def test_it_loads_nothing_but_itself_and_says_nothing_wrong(opened, report):
    page = opened(1200)
    problems = []
    page.on("console", lambda message: problems.append(message.text))
    page.reload()
    assert set(page.requests) == {report.as_uri()}
    assert problems == []


def test_every_picture_is_drawn(opened):
    page = opened(1200)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    pictures = page.locator("figure svg:visible")
    assert pictures.count() >= 8
    for box in pictures.evaluate_all("all => all.map(one => one.getBoundingClientRect().toJSON())"):
        assert box["width"] > 100
        assert box["height"] > 100
    images = page.locator("img").evaluate_all("all => all.map(one => one.naturalWidth)")
    assert all(images)


def test_the_verdict_stands_first_and_the_recommendation_with_its_run_behind(opened, children):
    page = opened(1200)
    cards = page.locator("main .advice")
    verdict, first = cards.nth(0).inner_text(), cards.nth(1).inner_text()
    assert verdict.startswith("undecided focal γ")
    assert "one seed: spread unknown" in verdict
    assert first.startswith("Recommendation.")
    assert any(run.info.run_id in first for run in children.values())
    assert "test split" in first


@pytest.mark.parametrize("width", [400, 1200, 1600])
def test_it_needs_no_scrolling_to_the_side_and_its_contents_lead_to_the_sections(opened, width):
    page = opened(width)
    assert page.evaluate(OVERFLOW) == []
    sizes = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert sizes[0] <= sizes[1]
    page.locator("nav a", has_text="Every loss").click()
    contents = page.locator("nav").bounding_box()
    heading = page.locator("#losses h2").bounding_box()
    assert 0 <= contents["y"] < 20
    assert 0 <= heading["y"] < 200
    below = contents["y"] + contents["height"] <= heading["y"]
    assert below or contents["x"] + contents["width"] <= heading["x"]


def test_the_forest_fills_the_width_with_its_names_at_the_left(opened):
    page = opened(1280)
    row, label = page.locator(".forest .row").first, page.locator(".forest .label").first
    assert row.bounding_box()["width"] > 500
    assert label.bounding_box()["x"] < row.bounding_box()["x"]


def test_pictures_are_read_in_the_dark(opened):
    """Their text has the colour of the page's, on the page's own ground."""
    page = opened(1280)
    seen = {}
    try:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            seen[scheme] = page.evaluate(
                """() => [
                    getComputedStyle(document.body).color,
                    [...document.querySelectorAll("figure svg")].map(
                        one => getComputedStyle(one).backgroundColor),
                    getComputedStyle(document.querySelector("#epochs svg text")).fill,
                ]"""
            )
    finally:
        page.emulate_media(color_scheme="light")
    assert seen["light"][0] != seen["dark"][0]
    for colour, grounds, text in seen.values():
        assert set(grounds) == {"rgba(0, 0, 0, 0)"}
        assert text == colour


def test_paper_holds_all_of_it(opened):
    page = opened(794)  # A4 at 96 dots an inch
    page.emulate_media(media="print")
    try:
        assert page.evaluate(OVERFLOW) == []
        table = page.locator("table.runs")
        assert table.is_visible()
        assert table.bounding_box()["height"] > 50
        heads = page.locator("thead").evaluate_all(
            "all => all.map(one => getComputedStyle(one).display)"
        )
        assert set(heads) == {"table-header-group"}
        assert page.pdf(format="A4").startswith(b"%PDF")
    finally:
        page.emulate_media(media="screen")
