"""A store made by hand: one sweep of three losses, with predictions and epochs on disk."""

import numpy as np
import pytest
from made_store import (
    LOSSES,
    SEEDS,
    MadeStore,
    log_run,
    metrics_of,
    new_experiment,
    predictions_of,
)

from src.runs.recorded import record


@pytest.fixture(scope="session")
def made(tmp_path_factory, empty_store):
    """The sweep of three losses over seven seeds."""
    root = tmp_path_factory.mktemp("made") / "mlruns"
    client, experiment = new_experiment(root, empty_store, "made by hand")
    parent = client.create_run(
        experiment, tags={"sweep.command": "train.py -m loss=ce,focal"}, run_name="sweep"
    ).info.run_id
    run_ids, predictions = {}, {}
    for label in LOSSES:
        for seed in SEEDS:
            arrays = predictions_of(label, seed)
            run_id = log_run(client, experiment, label, seed, metrics_of(arrays), parent_id=parent)
            folder = root / "artifacts" / run_id / "artifacts"
            folder.mkdir(parents=True)
            np.savez_compressed(folder / record.PREDICTIONS, **arrays)
            curve = [
                {
                    "epoch": n,
                    "time_ms": n,
                    "val_f1_macro": 0.5 + 0.05 * n,
                    "val_log_loss": 0.7 - 0.05 * n,
                    "grad_norm": 1 / n,
                    "loss": 2 / n,
                }
                for n in range(1, 6)
            ]
            record.write_history(folder / record.HISTORY, curve)
            run_ids[label, seed], predictions[label, seed] = run_id, arrays
    client.set_terminated(parent, "FINISHED")
    return MadeStore(root, client, parent, run_ids, predictions)
