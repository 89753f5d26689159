"""One job of Hydra, from its composed config to a recorded run.

config -> data set -> identity -> a finished run, or: train -> score -> write -> track.

Nothing here imports TensorFlow before it is sure that there is something to train: a wrong config,
bad data, or a finished run with the same identity end the job without it.
"""

import contextlib
import logging
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from numpy.typing import NDArray
from omegaconf import DictConfig

from src.config.check import FULL, check
from src.data.dataset import Dataset
from src.engine.build import check_loss
from src.engine.sampling import sampled
from src.engine.sizing import sized
from src.references.estimators import check_estimator
from src.runs.claim import CHECKPOINT, claimed, clear
from src.runs.dataset_cache import cached_dataset
from src.runs.identity import is_reference
from src.runs.import_tensorflow import import_tensorflow
from src.runs.labels import encodable
from src.runs.metadata import describe_run
from src.runs.recorded import record
from src.runs.recorded.record import RunMetadata, RunRecord
from src.sweeps.sweep_file import parent_run_id
from src.tracking.tracker import CachedRun, Tracker, open_tracker

if TYPE_CHECKING:
    from src.engine.fit import Trained

NO_EPOCH = 0
"""The best epoch of a run that has none."""

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
    hydra = HydraConfig.get()
    with contextlib.chdir(hydra.runtime.cwd):  # paths are from there, hydra.job.chdir or not
        return _run(check(cfg), hydra)


def _run(config: dict[str, Any], hydra: HydraConf) -> float:
    """Loads the data, and trains where there is no finished run."""
    folder = Path(hydra.runtime.output_dir)
    dataset = cached_dataset(config["data"])
    config = sized(config, dataset)
    if is_reference(config):
        check_estimator(config["estimator"], dataset)
    else:
        check_loss(config["loss"], dataset)
    metadata = describe_run(config, dataset)
    tracker = open_tracker(config["tracking"], parent_run_id(hydra))

    def find() -> CachedRun | None:
        return None if config["force"] else tracker.find(metadata.identity, folder)

    root = config["tracking"]["root"]
    with claimed(root, metadata.identity, metadata.name, find) as (unfinished, cached):
        if cached is not None:
            return _report_cached(cached, metadata, folder, config["training"]["monitor"])
        if config["force"] or not config["resume"]:
            (unfinished / CHECKPOINT).unlink(missing_ok=True)
        execute = _fit if is_reference(config) else _train
        return execute(config, dataset, metadata, tracker, folder=folder, unfinished=unfinished)


def _train(
    config: dict[str, Any],
    dataset: Dataset,
    metadata: RunMetadata,
    tracker: Tracker,
    *,
    folder: Path,
    unfinished: Path,
) -> float:
    """Trains, scores, writes and tracks a run; gives the monitored value at its best epoch."""
    training_data = sampled(dataset, config)
    import_tensorflow(onednn=config["training"]["onednn"])
    from src.compat.tensorflow import release_gradients
    from src.engine.callbacks import tensorboard_callbacks
    from src.engine.epoch_logger import EpochLogger
    from src.engine.fit import train
    from src.engine.graph_cache import process_graphs
    from src.runs.outputs import write_config, write_model, write_results

    started_ms, full = time.time_ns() // 10**6, config["tracking"]["detail"] == FULL
    with tracker.following(metadata, folder):
        logger = EpochLogger(tracker.send if full else None)
        trained = train(
            config,
            training_data,
            metadata.name,
            tensorboard_callbacks(config["training"], folder),
            logger=logger,
            resume=unfinished / CHECKPOINT,
            graphs=process_graphs(),
            keep_model=full,
        )
        metrics, confusion = _score(dataset, trained, config["training"]["monitor"])
        write_config(folder, config)
        if full:
            logits, history = trained.logits, logger.rows
            write_results(folder, dataset, logits, history=history, confusion=confusion)
            write_model(folder, config, dataset, trained, metadata=metadata, metrics=metrics)
        _close_record(
            folder, config, metadata, metrics, best_epoch=trained.best_epoch, started_ms=started_ms
        )
        recorded = tracker.finish(folder, history_sent=logger.complete)
    release_gradients()
    if recorded:  # else the same command typed again has nothing to train, but all to send
        clear(unfinished)
    epochs = f"epoch {trained.best_epoch} of {len(logger.rows)}  {trained.seconds['fit']:.1f} s"
    _say_done(f"trained{_named(metadata)}", metrics, trained.best_value, epochs)
    return metrics[f"best_{config['training']['monitor']}"]


def _fit(
    config: dict[str, Any],
    dataset: Dataset,
    metadata: RunMetadata,
    tracker: Tracker,
    *,
    folder: Path,
    unfinished: Path,
) -> float:
    """Fits an estimator, scores, writes and tracks it; gives its validation macro F1."""
    from src.references.fit import fit
    from src.runs.outputs import write_card, write_config, write_results

    training_data = sampled(dataset, config)
    started_ms = time.time_ns() // 10**6
    with tracker.following(metadata, folder):
        fitted = fit(config, training_data)
        metrics, logits = fitted.metrics, fitted.logits
        write_config(folder, config)
        if config["tracking"]["detail"] == FULL:
            write_results(folder, dataset, logits, history=(), confusion=fitted.confusion)
            write_card(folder, config, dataset, logits, metadata=metadata, metrics=metrics)
        _close_record(folder, config, metadata, metrics, best_epoch=NO_EPOCH, started_ms=started_ms)
        recorded = tracker.finish(folder, history_sent=True)
    if recorded:
        clear(unfinished)
    val, seconds = metrics["best_val_f1_macro"], f"{metrics['seconds_fit']:.1f} s"
    _say_done(f"fitted{_named(metadata)}", metrics, val, seconds)
    return val


def _close_record(
    folder: Path,
    config: dict[str, Any],
    metadata: RunMetadata,
    metrics: dict[str, float],
    *,
    best_epoch: int,
    started_ms: int,
) -> None:
    """Writes the record, with which the folder is whole."""
    tracking = config["tracking"]
    RunRecord(
        metadata=metadata,
        metrics=metrics,
        best_epoch=best_epoch,
        started_ms=started_ms,
        ended_ms=time.time_ns() // 10**6,
        tracking=tracking | {"root": str(Path(tracking["root"]).absolute())},
    ).save(folder)


def _score(
    dataset: Dataset, trained: "Trained", monitor: str
) -> tuple[dict[str, float], NDArray[Any]]:
    """The final metrics by name, and the confusion matrix of the test split."""
    from src.evaluation.scores import score_decisions

    scores = score_decisions(dataset.y_val, dataset.y_test, trained.by_decision, trained.prior)
    best = trained.history[trained.best_epoch - 1]
    metrics = {
        **{f"best_{name}": best[name] for name in ("val_loss", monitor) if name in best},
        **scores.values,
        **trained.crossfit,
        "best_epoch": trained.best_epoch,
        **{f"best_epoch_{decision}": at.epoch for decision, at in trained.own.items()},
        **{f"seconds_{name}": value for name, value in trained.seconds.items()},
    }
    return metrics, scores.confusion


def _named(metadata: RunMetadata) -> str:
    """The name of a run that was typed by itself; a sweep has said which job it is."""
    return "" if _in_sweep() else f"  {metadata.name}"


def _in_sweep() -> bool:
    return bool(HydraConfig.get().mode == RunMode.MULTIRUN)


def _say_done(how: str, metrics: Mapping[str, float], val: float, more: str) -> None:
    """One line a job, the same columns in each of a sweep."""
    scores = f"test F1 {metrics['test_f1_macro']:.4f}  val {val:.4f}"
    line = f"✓ {how:<7}  {scores}  {more}"
    log.info("%s", encodable(line, sys.stdout.encoding))


def _report_cached(cached: CachedRun, metadata: RunMetadata, folder: Path, monitor: str) -> float:
    """Records that a finished run has the answer, and says so."""
    record.write_json(
        folder / record.ANSWER,
        {"answered_from": cached.where, "name": metadata.name, "metrics": cached.metrics},
    )
    monitored = cached.metrics.get(f"best_{monitor}", float("nan"))
    _say_done(f"reused{_named(metadata)}", cached.metrics, monitored, "trained before")
    if not _in_sweep():
        log.info("  from %s; force=true trains it again", cached.where)
    return monitored
