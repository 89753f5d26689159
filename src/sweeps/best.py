"""The best trial of a search: printed, and logged on the sweep's run."""

import logging
from dataclasses import dataclass
from typing import Any

from src.sweeps.sweep import under_way

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Best:
    """The trial with the best score.

    Attributes:
        job: its number, from 0.
        value: what was optimised.
        params: what was proposed for it, by key.
        trials: how many ended with a score.
    """

    job: int
    value: float
    params: dict[str, Any]
    trials: int


def report_best(best: Best) -> None:
    """Prints the best trial; MLflow gets it as parameters, metric and tags of the sweep."""
    words = " ".join(f"{key}={value}" for key, value in best.params.items())
    print(f"Best of {best.trials} trials: job {best.job}, {best.value:.4f} on validation, {words}")
    sweep = under_way()
    if sweep is None or sweep.store is None:
        return
    try:
        client = sweep.store.client
        for key, value in best.params.items():
            client.log_param(sweep.parent_id, f"best.{key}", value)
        client.log_metric(sweep.parent_id, "best_value", best.value)
        client.set_tag(sweep.parent_id, "best.job", str(best.job))
        client.set_tag(sweep.parent_id, "best.overrides", words)
    except Exception as error:
        log.warning("MLflow: the best trial is not logged: %s", error)
