"""Draws the pictures of the README into docs/: ``make screenshots``.

    python -m tests.browser.screenshots [--folder FOLDER]

Trains what ``make reproduce`` trains for the forest plot, and a small sweep for the MLflow UI and
the report, in folders of its own; takes pictures of what the README talks about in a real browser.
Nothing of it stays but the pictures.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.image
import numpy as np

from src.entry import guarded
from src.errors import UserError
from tests.browser.driving import ROOT, browser, chromium, mlflow_ui

ANSWER = ("-m", "+experiment=homework", "data=simulated,digits")
SWEEP = ("-m", "loss=ce,focal", "seed=0,1,2", "compare=true", "tracking.log_model=false")
SIZE = {"width": 1280, "height": 800}
NARROW = {"width": 1000, "height": 900}
USUAL_RATE_ALONE = """
for (const mark of document.querySelectorAll(".forest .mark")) {
    const name = mark.querySelector(".decision").textContent;
    if (name.startsWith("at ") && !name.startsWith("at 0.001,")) mark.style.display = "none";
}
"""
"""Of the given learning rates Adam's own: the README has no room for five."""
MOST_BYTES = 150_000
PATIENCE_MS = 3000
"""For charts that draw themselves after their data has come."""


def main() -> int:
    """Trains, opens, and takes the pictures."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.browser.screenshots", description="Draw the README's pictures."
    )
    parser.add_argument("--folder", type=Path, default=ROOT / "docs", help="where to (docs)")
    folder = parser.parse_args().folder
    executable = chromium()
    if executable is None:
        raise UserError("no Chromium on the PATH; install it, or name it in the variable CHROMIUM")
    with tempfile.TemporaryDirectory() as draft:
        answer, sweep = Path(draft, "answer"), Path(draft, "sweep")
        of_answer, of_sweep = _report(answer, ANSWER), _report(sweep, SWEEP)
        with mlflow_ui(sweep) as ui, browser(executable, viewport=SIZE) as context:
            page = context.new_page()
            page.goto(ui["last sweep, losses side by side"])
            page.get_by_text("6 matching runs").wait_for()
            _take(page, folder / "mlflow-comparison.png")
            page.goto("about:blank")
            page.goto(ui["its curves by loss"])
            page.get_by_text("ce (val_f1_macro)").first.wait_for()
            _take(page, folder / "mlflow-curves.png")
            page.set_viewport_size(NARROW)
            page.goto(of_sweep.as_uri())
            _take(page, folder / "report.png")
            page.goto(of_answer.as_uri())
            page.evaluate(USUAL_RATE_ALONE)
            _take(page.locator(".forest"), folder / "forest.png")
    return 0


def _report(folder: Path, words: tuple[str, ...]) -> Path:
    """The report of a sweep that is trained in a folder."""
    folder.mkdir()
    subprocess.run([sys.executable, ROOT / "train.py", *words], cwd=folder, check=True)
    (report,) = folder.glob("mlruns/artifacts/*/artifacts/report.html")
    return report


def _take(part, file: Path) -> None:
    """Takes a picture of a page, as far as it is in view, or of a part of one."""
    getattr(part, "page", part).wait_for_timeout(PATIENCE_MS)
    part.screenshot(path=file)
    size = file.stat().st_size
    height, width, _ = np.shape(matplotlib.image.imread(file))
    print(f"{file}: {width} x {height}, {size / 1000:.0f} kB")
    if size > MOST_BYTES:
        raise UserError(f"{file}: {size} bytes, more than {MOST_BYTES}")


if __name__ == "__main__":
    raise SystemExit(guarded(main))
