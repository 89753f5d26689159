"""The trainings: the same losses on ever new data, and on ever new splits of one table."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from hydra import compose, initialize_config_dir
from numpy.typing import NDArray

from src.config.check import check
from src.config.register import register
from src.runs.identity import PROJECT, code_of, digest_of

if TYPE_CHECKING:
    import keras

    from src.data.dataset import Dataset

LOSSES = ("ce", "ce", "focal", "weighted_ce")
"""The baseline, the same loss with training seeds of its own (A/A), and two to compare."""
RATES = (0.001, 0.01)
ROWS = 1500
SEEDS = 20
"""Seeds on a table, two a split; and of fresh data in one go."""
OTHER_SEEDS = 10**6
"""Added to the training seeds of the second loss, and to the seeds of tables."""
SCORES = ("val_argmax", "val_tuned", "test_argmax", "test_tuned")
WORDS = ("model.hidden=[32]", f"data.n_samples={ROWS}", "training.threads=1")

Scores = NDArray[np.float64]
"""Macro F1, shape (seeds, losses, rates, scores)."""


@cache
def config_of(loss: str) -> dict[str, Any]:
    """The resolved config of a loss, the project's own but for ``WORDS``."""
    register()
    with initialize_config_dir(str(PROJECT / "conf"), version_base="1.3"):
        return check(compose("config", overrides=[f"loss={loss}", *WORDS]))


def identity() -> str:
    """SHA-256 over configs and code: what others gave is not gone on with."""
    configs = [config_of(loss) for loss in LOSSES]
    return digest_of({"configs": configs, "code": [code_of(one) for one in configs]})


def on_fresh_data(number: int) -> Scores:
    """Every loss at every rate on data of each seed's own, as where data are simulated.

    Args:
        number: of the block of ``SEEDS`` seeds.
    """
    return _on(config_of("ce")["data"], number)


def on_a_table(number: int) -> Scores:
    """Every loss at every rate on ``SEEDS`` re-splits of one table.

    Args:
        number: of the table, by which its rows are drawn.
    """
    from src.engine.build import load_dataset

    whole = load_dataset({**config_of("ce")["data"], "seed": OTHER_SEEDS + number})
    x = np.concatenate([whole.x_train, whole.x_val, whole.x_test])
    y = np.concatenate([whole.y_train, whole.y_val, whole.y_test])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "table.npz")
        np.savez(file, x=x, y=y)
        node = {"_target_": "src.data.table.table", "path": str(file), "seeds_per_split": 2}
        return _on(node, number)


def _on(node: Mapping[str, Any], number: int) -> Scores:
    """The scores on what a ``data`` node gives each seed of a block."""
    from src.engine.build import load_dataset
    from src.engine.model import build_model

    found = np.empty((SEEDS, len(LOSSES), len(RATES), len(SCORES)))
    for index, seed in enumerate(range(SEEDS * number, SEEDS * (number + 1))):
        dataset = load_dataset({**node, "seed": seed})
        for column, loss in enumerate(LOSSES):
            config = config_of(loss)
            own = seed + OTHER_SEEDS * LOSSES[:column].count(loss)
            config = {**config, "training": {**config["training"], "seed": own}}
            model = build_model(config, dataset)
            for row, rate in enumerate(RATES):
                model.optimizer.learning_rate = rate
                found[index, column, row] = train_and_score(config, dataset, model)
    return found


def train_and_score(config: Mapping[str, Any], dataset: Dataset, model: keras.Model) -> list[float]:
    """As :func:`src.engine.fit.train`, in a third less time: no logs, no saved model.

    Args:
        config: the resolved config; its learning rate does not count.
        dataset: to train on.
        model: built from the config and not trained; its optimizer has the learning rate. It stays
            as it is.

    Returns:
        ``SCORES``.
    """
    from src.engine.callbacks import BestEpoch, OwnEpochs, StopWhereNotFinite
    from src.engine.graph_cache import process_graphs
    from src.engine.shared_graph import TrainingGraph
    from src.evaluation.decision import decide, prior_offsets, tune_offsets
    from src.evaluation.epoch_choice import EpochChoice
    from src.evaluation.scores import macro_f1

    training, classes = config["training"], dataset.num_classes
    graph = process_graphs().get(config, dataset)
    assert isinstance(graph, TrainingGraph), graph
    graph.load(model)
    choice = EpochChoice(dataset.y_val, prior_offsets(np.array(dataset.class_counts)))
    best = BestEpoch(*(training[key] for key in ("monitor", "mode", "patience", "epochs")))
    finite = StopWhereNotFinite(training)
    own = OwnEpochs(choice, lambda: graph.predict(dataset.x_val), finite)
    graph.fit(dataset, [best, own], range(training["epochs"]), training["seed"])
    by_argmax = graph.predict(dataset.x_test).argmax(axis=1)
    graph.model.set_weights(own.weights["tuned"])
    offsets = tune_offsets(dataset.y_val, choice.logits("tuned"))
    by_offsets = decide(graph.predict(dataset.x_test), offsets)
    return [
        *(choice.crossfit()[f"val_{name}crossfit_f1_macro"] for name in ("", "tuned_")),
        *(macro_f1(dataset.y_test, said, classes) for said in (by_argmax, by_offsets)),
    ]
