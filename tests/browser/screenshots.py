"""Draws the pictures of the README into docs/: ``make screenshots``.

    python -m tests.browser.screenshots [--folder FOLDER]

Trains a small sweep (cross-entropy and focal loss, three seeds, simulated data) in a folder of its
own, compares it, opens the MLflow UI on it, and takes pictures of what the README talks about.
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

SWEEP = ("-m", "loss=ce,focal", "seed=0,1,2", "compare=true", "tracking.log_model=false")
SIZE = {"width": 1280, "height": 800}
NARROW = {"width": 1000, "height": 900}
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
        subprocess.run([sys.executable, ROOT / "train.py", *SWEEP], cwd=draft, check=True)
        (report,) = Path(draft).glob("mlruns/artifacts/*/artifacts/report.html")
        with mlflow_ui(Path(draft)) as ui, browser(executable, viewport=SIZE) as context:
            page = context.new_page()
            page.goto(ui["last sweep, losses side by side"])
            page.get_by_text("6 matching runs").wait_for()
            _take(page, folder / "mlflow-comparison.png")
            page.goto("about:blank")
            page.goto(ui["its curves by loss"])
            page.get_by_text("ce (val_f1_macro)").first.wait_for()
            _take(page, folder / "mlflow-curves.png")
            page.set_viewport_size(NARROW)
            page.goto(report.as_uri())
            _take(page, folder / "report.png")
    return 0


def _take(page, file: Path) -> None:
    """Takes a picture of what is in view."""
    page.wait_for_timeout(PATIENCE_MS)
    page.screenshot(path=file)
    size = file.stat().st_size
    height, width, _ = np.shape(matplotlib.image.imread(file))
    print(f"{file}: {width} x {height}, {size / 1000:.0f} kB")
    if size > MOST_BYTES:
        raise UserError(f"{file}: {size} bytes, more than {MOST_BYTES}")


if __name__ == "__main__":
    raise SystemExit(guarded(main))
