"""Writes a trained run into its folder: everything but the record itself, which closes it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from src.data.dataset import Dataset
from src.tracking import record
from src.tracking.record import RunHead
from src.training.card import model_card
from src.training.fit import Trained
from src.training.for_serving import write_for_serving

EXAMPLE_ROWS = 5


def write_outputs(
    folder: Path,
    config: Mapping[str, Any],
    dataset: Dataset,
    trained: Trained,
    *,
    head: RunHead,
    metrics: Mapping[str, float],
    history: Sequence[Mapping[str, float]],
    confusion: NDArray[np.int64],
) -> None:
    """Writes config, history, predictions, confusion matrix, plots, the model and its card.

    A folder that was whole, since an earlier run had it, is not so from here on until the new
    record closes it.

    Args:
        folder: the job's output folder.
        config: the resolved config.
        dataset: gives labels, class names and an input example.
        trained: the model and its logits.
        head: of the record to come.
        metrics: final ones.
        history: rows of the epochs, with ``epoch`` and ``time_ms``.
        confusion: counts on the test split, shape (K, K).
    """
    (folder / record.RECORD).unlink(missing_ok=True)
    with (folder / record.CONFIG).open("w", encoding="utf-8") as stream:
        yaml.safe_dump(dict(config), stream, sort_keys=False, allow_unicode=True)
    record.write_history(folder / record.HISTORY, history)
    np.savez_compressed(
        folder / record.PREDICTIONS,
        y_val=dataset.y_val,
        val_logits=trained.val_logits,
        y_test=dataset.y_test,
        test_logits=trained.test_logits,
        class_names=np.array(dataset.class_names, dtype=np.str_),
    )
    np.save(folder / record.EXAMPLE, dataset.x_val[:EXAMPLE_ROWS])
    header = ",".join(f'"{name}"' for name in dataset.class_names)
    np.savetxt(
        folder / record.CONFUSION, confusion, "%d", delimiter=",", header=header, comments=""
    )
    if config["tracking"]["plots"]:
        from src.tracking.plots import plot_confusion, plot_curves

        plot_confusion(folder / record.CONFUSION_PLOT, confusion, dataset.class_names)
        plot_curves(folder / record.CURVES_PLOT, history, trained.best_epoch)
    facts = write_for_serving(folder, config, dataset, metrics)
    card = model_card(
        head,
        config,
        facts,
        metrics,
        best_epoch=trained.best_epoch,
        y_test=dataset.y_test,
        test_logits=trained.test_logits,
        y_val=dataset.y_val,
    )
    (folder / record.CARD).write_text(card, encoding="utf-8")
    trained.model.save(folder / record.MODEL)
