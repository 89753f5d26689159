"""The MLflow UI on a real sweep, clicked through: two clicks from ``make ui`` to the comparison."""

import re
import urllib.request

import pytest
from playwright.sync_api import expect

from src.runs.labels import short_label
from tests.browser.driving import mlflow_ui

LOSSES = ("ce", "focal(gamma=0, alpha=0.25)", "focal(gamma=2, alpha=0.25)")
SIDE_BY_SIDE, CURVES = "Last sweep, losses side by side", "its curves by loss"


@pytest.fixture(scope="module")
def ui(sweep, report, context):
    """``python -m src.ui`` on the sweep's store."""
    with mlflow_ui(sweep.cwd) as addresses:
        yield addresses
    assert addresses["status"] == "0"


def click(page, name):
    """Clicks a link of the description, which opens a page of its own."""
    with page.context.expect_page() as opened:
        page.get_by_role("link", name=name).first.click()
    return opened.value


def test_two_clicks_lead_to_the_losses_side_by_side(ui, page, children):
    page.goto(ui["MLflow UI"])  # the first click, on what `make ui` prints
    table = click(page, SIDE_BY_SIDE)  # the second
    for column in ("gamma", "alpha", "val F1", "test F1", "tuned F1", "ECE"):
        expect(table.get_by_role("columnheader", name=column).first).to_be_in_viewport()
    for constant in ("seed", "data", "model", "loss.label"):
        expect(table.get_by_role("columnheader", name=constant, exact=True)).to_have_count(0)
    expect(table.get_by_text("4 matching runs")).to_be_visible()
    for label in LOSSES:
        expect(table.get_by_role("link", name=f"{short_label(label)} · mlp").first).to_be_visible()
        score = f"{children[label].data.metrics['test_f1_macro']:.4f}"
        cell = table.get_by_role("gridcell", name=score, exact=True).first
        expect(cell).to_be_in_viewport()


def test_the_curves_of_macro_f1_by_epoch_come_first_and_large_each_line_in_the_legend(ui, page):
    page.goto(ui["MLflow UI"])
    charts = click(page, CURVES)
    for label in LOSSES:
        short = short_label(label)
        expect(charts.get_by_text(f"Group: {short}").first).to_be_visible()
        expect(charts.get_by_text(f"{short} (val_f1_macro)").first).to_be_visible()
    first = charts.locator(".js-plotly-plot").first
    drawn = first.locator(".scatterlayer path.js-line")
    expect(drawn.first).to_be_attached()
    assert drawn.count() >= len(LOSSES)
    assert first.bounding_box()["width"] > 500
    expect(charts.get_by_text("val_loss", exact=True)).to_have_count(0)
    charts.get_by_text("Final scores").first.scroll_into_view_if_needed()
    shared = charts.get_by_text(f"{short_label(LOSSES[1])} (val_log_loss)")
    expect(shared.first).to_be_visible()


def test_a_sweep_is_a_parent_run_with_its_jobs_below_and_says_what_it_was(ui, page, parent):
    page.goto(ui["MLflow UI"])
    row = page.get_by_role("row").filter(has_text="sweep loss=ce,focal")
    expect(row.first).to_be_visible()
    everything = re.compile(r"^([5-9]|\d\d+) matching runs")  # other tests may have added some
    expect(page.get_by_text(everything)).to_be_visible()
    base = ui["MLflow UI"].partition("#")[0]
    page.goto(f"{base}#/experiments/{parent.info.experiment_id}/runs/{parent.info.run_id}")
    expect(page.get_by_text("train.py -m loss=ce,focal loss.gamma=0,1,2").first).to_be_visible()
    expect(page.get_by_role("link", name=SIDE_BY_SIDE).first).to_be_visible()


def test_a_job_names_its_sweep_and_describes_itself(ui, page, parent, children):
    base = ui["MLflow UI"].partition("#")[0]
    run = children["ce"]
    page.goto(f"{base}#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}")
    expect(page.get_by_text("with model mlp on simulated, seed 0").first).to_be_visible()
    link = page.get_by_role("link", name=parent.info.run_name)
    expect(link.first).to_have_attribute("href", re.compile(parent.info.run_id))


def test_the_report_opens_among_the_artifacts_of_its_sweep(ui, page, parent):
    base = ui["MLflow UI"].partition("#")[0]
    place = f"{base}#/experiments/{parent.info.experiment_id}/runs/{parent.info.run_id}/artifacts"
    page.goto(f"{place}/report.html")
    frame = page.frame_locator("iframe").first
    expect(frame.get_by_text("Recommendation").first).to_be_visible()


def test_the_ui_asks_nobody_else(ui, page):
    page.goto(ui["MLflow UI"])
    expect(page.get_by_role("link", name=SIDE_BY_SIDE).first).to_be_visible()
    base = ui["MLflow UI"].partition("#")[0]
    assert page.requests
    assert [url for url in page.requests if not url.startswith((base, "data:", "blob:"))] == []
    with urllib.request.urlopen(f"{base}health") as answer:
        assert answer.status == 200
