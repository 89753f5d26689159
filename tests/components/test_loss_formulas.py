"""The formulas that the report draws are those of the components, for every loss."""

from pathlib import Path

import numpy as np
import pytest

from src.analysis.figures.loss_curves import GRID, loss_curve
from src.engine.build import build
from src.runs.labels import loss_label

ROOT = Path(__file__).parents[2]
NAMES = sorted(file.stem for file in (ROOT / "conf" / "loss").glob("*.yaml"))
COUNTS = [10, 300, 90]


@pytest.mark.parametrize("name", NAMES)
def test_a_curve_is_the_loss_of_the_rarest_class_up_to_a_factor(resolved, name):
    node = resolved(f"loss={name}")["loss"]
    curve = loss_curve(loss_label(node), COUNTS)
    if name == "soft_f1":
        assert curve is None, "it is a loss of batches"
        return
    p = np.stack([GRID, (1 - GRID) / 2, (1 - GRID) / 2], axis=1)
    logits = np.log(p) - np.log(1 - p) if name == "asymmetric" else np.log(p)
    loss = build(node["fn"], "loss.fn", {"class_counts": COUNTS, "alpha": [10.0, 1.0, 2.0]})
    values = np.asarray(loss.call(np.zeros(len(p), int), logits.astype(np.float32)))
    np.testing.assert_allclose(curve, values / values[0], rtol=2e-4, atol=1e-6)
