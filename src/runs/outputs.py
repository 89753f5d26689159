"""Writes a trained run into its folder, but for the record that closes it, and its pictures."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from numpy.typing import NDArray

from src.data.dataset import Dataset
from src.runs.for_serving import save_example, serving_facts, write_for_serving
from src.runs.model_card import model_card
from src.runs.recorded import record
from src.runs.recorded.record import RunMetadata
from src.saved_model.decisions import DECISIONS
from src.saved_model.facts import FILE as SERVING
from src.saved_model.facts import ServingFacts, weights_file

if TYPE_CHECKING:
    from src.engine.fit import Trained

OF_A_RUN = (
    *(record.HISTORY, record.PREDICTIONS, record.CONFUSION, record.CARD, record.MODEL),
    *(record.CONFUSION_PLOT, record.CURVES_PLOT, SERVING, *map(weights_file, DECISIONS)),
)
"""Files that a run writes or leaves out, as its config has it."""


def write_config(folder: Path, config: Mapping[str, Any]) -> None:
    """Writes the config, the first of a run's files; those of an earlier run in the folder go.

    A folder that was whole is not so from here on until the new record closes it.
    """
    for name in (record.RECORD, *OF_A_RUN):
        (folder / name).unlink(missing_ok=True)
    with (folder / record.CONFIG).open("w", encoding="utf-8") as stream:
        yaml.safe_dump(dict(config), stream, sort_keys=False, allow_unicode=True)


def write_results(
    folder: Path,
    dataset: Dataset,
    logits: Mapping[str, NDArray[np.floating]],
    *,
    history: Sequence[Mapping[str, float]],
    confusion: NDArray[np.int64],
) -> None:
    """Writes history, predictions, confusion matrix and an input example.

    Args:
        folder: the job's output folder.
        dataset: gives labels and class names.
        logits: by name, such as ``test_logits``.
        history: rows of the epochs, with ``epoch`` and ``time_ms``.
        confusion: counts on the test split, shape (K, K).
    """
    record.write_history(folder / record.HISTORY, history)
    arrays: dict[str, Any] = {
        "y_val": dataset.y_val,
        "y_test": dataset.y_test,
        "class_names": np.array(dataset.class_names, dtype=np.str_),
        **logits,
    }
    np.savez_compressed(folder / record.PREDICTIONS, **arrays)
    save_example(folder, dataset)
    with (folder / record.CONFUSION).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        writer.writerows([dataset.class_names, *confusion.tolist()])


def write_card(
    folder: Path,
    config: Mapping[str, Any],
    dataset: Dataset,
    logits: Mapping[str, NDArray[np.floating]],
    *,
    metadata: RunMetadata,
    metrics: Mapping[str, float],
    facts: ServingFacts | None = None,
) -> None:
    """Writes the model card.

    Args:
        folder: the job's output folder.
        config: the resolved config.
        dataset: the labels that the logits are of.
        logits: of the test split by decision, each of shape (n, K); an estimator has the same for
            each, under ``test_logits``.
        metadata: of the record to come.
        metrics: final ones.
        facts: of the saved model; None of an estimator, which is not saved itself.
    """
    if facts is None:
        facts = serving_facts(dataset, metrics)
        logits = dict.fromkeys(DECISIONS, logits["test_logits"])
    card = model_card(metadata, config, dataset, facts, metrics=metrics, test_logits=logits)
    (folder / record.CARD).write_text(card, encoding="utf-8")


def write_model(
    folder: Path,
    config: Mapping[str, Any],
    dataset: Dataset,
    trained: "Trained",
    *,
    metadata: RunMetadata,
    metrics: Mapping[str, float],
) -> None:
    """Writes the model, its card, and what a server needs to know of it.

    The model has the weights of argmax; those of another decision lie beside it where its best
    epoch is another one.
    """
    of_others = trained.own_weights
    facts = write_for_serving(folder, config, dataset, metrics, own_weights=tuple(of_others))
    test_logits = {decision: test for decision, (_, test) in trained.by_decision.items()}
    write_card(
        folder, config, dataset, test_logits, metadata=metadata, metrics=metrics, facts=facts
    )
    trained.model.save(folder / record.MODEL)
    of_argmax, size = trained.model.get_weights(), (folder / record.MODEL).stat().st_size
    for decision, weights in of_others.items():
        file = folder / weights_file(decision)
        file.write_bytes(bytes(size))  # a full disk ends here, in words: HDF5 would crash later
        trained.model.set_weights(weights)
        trained.model.save_weights(file)
    trained.model.set_weights(of_argmax)
