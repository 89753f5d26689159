"""One job of Hydra, from its composed config to a recorded run.

Nothing here imports TensorFlow before it is sure that there is something to train: a wrong config,
bad data, or a finished run with the same identity end the job without it.
"""

import logging
import time
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from src.config.check import check
from src.data.dataset import Dataset
from src.engine.build import check_loss
from src.engine.sizing import sized
from src.runs import record
from src.runs.claim import CHECKPOINT, claimed, clear
from src.runs.dataset_cache import dataset_of
from src.runs.metadata import describe_run
from src.runs.quiet import import_tensorflow, spare_collector
from src.runs.record import RunMetadata, RunRecord
from src.sweeps.sweep import configs_to_come, parent_run_id
from src.tracking.tracker import CachedRun, Tracker, open_tracker

log = logging.getLogger(__name__)


def run_job(cfg: DictConfig) -> float:
    """Trains and records what a config says, or finds it done already.

    Args:
        cfg: the composed config.

    Returns:
        Validation macro F1 (or whatever ``training.monitor`` names) at the best epoch: what a
        sweeper that optimises may look at. The test split's scores are no objective.

    Raises:
        UserError: for a mistake in the config or the data.
    """
    config = check(cfg)
    hydra = HydraConfig.get()
    dataset = dataset_of(config["data"])
    config = sized(config, dataset)
    check_loss(config["loss"], dataset)
    folder = Path(hydra.runtime.output_dir)
    metadata = describe_run(config, dataset)
    tracker = open_tracker(config["tracking"], parent_run_id(hydra))

    def answer() -> CachedRun | None:
        return None if config["force"] else tracker.find(metadata.identity, folder)

    root = config["tracking"]["root"]
    with claimed(root, metadata.identity, metadata.name, answer) as (unfinished, found):
        if found is None:
            if config["force"] or not config["resume"]:
                (unfinished / CHECKPOINT).unlink(missing_ok=True)
            coming = (sized(later, dataset) for later in configs_to_come(hydra))
            train = partial(_train, coming=coming)
            return train(config, dataset, metadata, tracker, folder=folder, unfinished=unfinished)
    return _answer(found, metadata, folder)


def _train(
    config: dict[str, Any],
    dataset: Dataset,
    metadata: RunMetadata,
    tracker: Tracker,
    *,
    folder: Path,
    unfinished: Path,
    coming: Iterable[Mapping[str, Any]],
) -> float:
    import_tensorflow()
    from src.engine.board import board_callbacks
    from src.engine.epoch_logger import EpochLogger
    from src.engine.fit import train
    from src.evaluation.scores import score, score_tuned
    from src.evaluation.validation import score_validation
    from src.runs.outputs import write_model, write_results
    from src.runs.release import release_graphs

    spare_collector()
    started = time.time_ns() // 10**6
    with tracker.following(metadata, folder):
        logger = EpochLogger(tracker.send)
        trained = train(
            config,
            dataset,
            metadata.name,
            board_callbacks(config, folder),
            logger=logger,
            resume=unfinished,
            coming=coming,
        )
        test = score(dataset.y_test, trained.test_logits)
        write_results(
            folder, config, dataset, trained, history=logger.rows, confusion=test.confusion
        )
        best = logger.rows[trained.best_epoch - 1]
        metrics = {f"test_{name}": value for name, value in test.values.items()}
        metrics |= score_tuned(
            dataset.y_val, trained.val_logits, dataset.y_test, trained.test_logits
        )
        metrics |= score_validation(dataset.y_val, trained.val_logits)
        metrics |= {
            f"best_{name}": best[name] for name in ("val_f1_macro", "val_loss") if name in best
        }
        metrics |= {f"seconds_{name}": value for name, value in trained.seconds.items()}
        write_model(folder, config, dataset, trained, metadata=metadata, metrics=metrics)
        RunRecord(
            metadata=metadata,
            metrics=metrics,
            best_epoch=trained.best_epoch,
            started_ms=started,
            ended_ms=time.time_ns() // 10**6,
            tracking=config["tracking"]
            | {"root": str(Path(config["tracking"]["root"]).absolute())},
        ).save(folder)
        recorded = tracker.finish(folder, history_sent=logger.complete)
    release_graphs()
    if recorded:  # else the same command typed again has nothing to train, but all to send
        clear(unfinished)
    log.info(
        "%s: test macro F1 %.4f, validation %.4f at epoch %d of %d, %.1f s",
        metadata.name,
        test.values["f1_macro"],
        trained.best_value,
        trained.best_epoch,
        len(logger.rows),
        trained.seconds["fit"],
    )
    return trained.best_value


def _answer(found: CachedRun, metadata: RunMetadata, folder: Path) -> float:
    """Records that another run has the answer, and says so."""
    record.write_json(
        folder / record.ANSWER,
        {"answered_from": found.where, "name": metadata.name, "metrics": found.metrics},
    )
    log.info(
        "%s: trained before, answered from %s (test macro F1 %.4f); force=true trains it again",
        metadata.name,
        found.where,
        found.metrics["test_f1_macro"],
    )
    return found.metrics.get("best_val_f1_macro", float("nan"))
