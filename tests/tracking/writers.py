"""Several writers in one process, each of which tracks a run as training does, without TensorFlow.

    python -m tests.tracking.writers URI FOLDER FIRST COUNT

Run n logs EPOCHS epochs and leaves in FOLDER/n what it wrote.
"""

import sys
import threading
from pathlib import Path

import numpy as np
import yaml

from src.entry import guarded
from src.runs.recorded import record
from src.runs.recorded.record import RunMetadata, RunRecord
from src.tracking.mlflow_tracker import MLflowTracker

EPOCHS = 15
FINGERPRINT = "f" * 64
"""All runs begin at once on the same data, as the losses of a comparison do."""
METRICS = ("loss", "f1_macro", "val_loss", "val_f1_macro", "grad_norm")


def metadata_of(number):
    params = {f"part.{key}": str(key * number) for key in range(40)}
    facts = {"name": "made", "source": "made", "fingerprint": FINGERPRINT}
    shape = {"input_shape": [2], "class_names": ["a", "b"], "class_counts": [3, 1]}
    rows = {"train": 4, "val": 2, "test": 2}
    tags = {"identity": f"{number:064x}", "writer": str(number)}
    return RunMetadata(
        f"{number:064x}", f"writer {number}", "", tags, params, {**facts, **shape, "rows": rows}
    )


def rows_of(number):
    generator = np.random.default_rng(number)
    return [
        {"epoch": epoch, "time_ms": epoch, **{name: generator.normal() for name in METRICS}}
        for epoch in range(1, EPOCHS + 1)
    ]


def write(uri, folder, number):
    tracking = {"enabled": True, "root": str(folder / "mlruns"), "uri": uri or None}
    tracking |= {"experiment": "writers", "log_model": False, "plots": False}
    place = folder / str(number)
    place.mkdir()
    tracker, sent = MLflowTracker(tracking, None), True
    with tracker.following(metadata_of(number), place):
        for row in rows_of(number):
            try:
                tracker.send([row])
            except Exception as error:
                print(f"writer {number}: {error}", file=sys.stderr)
                sent = False
        (place / record.CONFIG).write_text(yaml.safe_dump({"writer": number}))
        record.write_history(place / record.HISTORY, rows_of(number))
        np.savez(place / record.PREDICTIONS, logits=np.full((100, 2), number))
        RunRecord(metadata_of(number), {"test_f1_macro": number / 100}, 1, 0, 1, tracking).save(
            place
        )
        assert tracker.finish(place, history_sent=sent)


def main():
    uri, folder, first, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    threads = [
        threading.Thread(target=write, args=(uri, folder, number))
        for number in range(first, first + count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    sys.exit(guarded(main))
