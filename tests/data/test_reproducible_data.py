"""The same parameters give the same bytes in another process, without TensorFlow being loaded."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from src.data.classification import classification
from src.data.digits import digits
from src.data.simulated import simulated
from src.data.table import table

ROOT = Path(__file__).parents[2]
CHILD = """
import json, pkgutil, importlib, sys
import src.data
for module in pkgutil.iter_modules(src.data.__path__):
    importlib.import_module(f"src.data.{module.name}")
from src.data.classification import classification
from src.data.digits import digits
from src.data.simulated import simulated
from src.data.table import table
made = [simulated(seed=7), classification(seed=7), digits(seed=7), table(sys.argv[1], "y", seed=7)]
heavy = sorted({"tensorflow", "keras", "mlflow", "torch", "jax"} & set(sys.modules))
print(json.dumps({"fingerprints": [data.fingerprint for data in made], "heavy": heavy}))
"""


@pytest.fixture(scope="module")
def small_csv(tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "small.csv"
    rows = {"a": [i * 0.1 for i in range(60)], "b": list("xyz") * 20, "y": ["n", "n", "p"] * 20}
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def test_another_process_makes_the_same_fingerprints_and_loads_no_tensorflow(small_csv):
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(small_csv)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    sources = (simulated, classification, digits, partial(table, str(small_csv), "y"))
    assert said["fingerprints"] == [source(seed=7).fingerprint for source in sources]
    assert said["heavy"] == []


def test_another_seed_makes_another_split(small_csv):
    for source in (simulated, classification, digits, partial(table, str(small_csv), "y")):
        one, two = source(seed=1), source(seed=2)
        assert one.fingerprint != two.fingerprint
        assert np.abs(np.diff(one.y_train)).sum() > 5  # not class by class
        assert one.class_counts == two.class_counts or source is classification
