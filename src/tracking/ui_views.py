"""Saved views of the MLflow UI, so that runs stand side by side without picking columns first.

MLflow keeps a view as an experiment tag: JSON with a name and the page's state, deflated. The
views appear in the *Views* menu of an experiment, and each has a link of its own.
"""

import base64
import json
import time
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

TAG = "mlflow.sharedViewState."
ALL_RUNS = "imbalance-all-runs"
LAST_SWEEP = "imbalance-last-sweep"
CURVES = "imbalance-curves-by-loss"

METRICS = ("test_f1_macro", "best_val_f1_macro", "test_balanced_accuracy", "test_log_loss")
TAGS = ("loss.label", "model", "data", "seed")
COLUMNS = [f"metrics.`{name}`" for name in METRICS] + [f"tags.`{name}`" for name in TAGS]
BY_LOSS = {
    "aggregateFunction": "average",
    "groupByKeys": [{"mode": "tag", "groupByData": "loss.label"}],
}


def save_views(client: "MlflowClient", experiment_id: str, sweep_id: str | None = None) -> None:
    """Saves the view of all runs, and the one of a sweep.

    Args:
        client: of the store.
        experiment_id: where the views appear.
        sweep_id: the parent run whose jobs the second view shows; None leaves it as it is.
    """
    trained = "tags.`loss` LIKE '%'"
    _save(client, experiment_id, ALL_RUNS, name="All runs, best first", condition=trained)
    if sweep_id:
        condition = f"tags.`sweep.{sweep_id}` LIKE '%'"
        _save(
            client,
            experiment_id,
            LAST_SWEEP,
            name="Last sweep, losses side by side",
            condition=condition,
        )
        _save(
            client,
            experiment_id,
            CURVES,
            name="Last sweep, curves by loss",
            condition=condition,
            group_by=BY_LOSS,
        )


def view_link(experiment_id: str, key: str, *, charts: bool = False) -> str:
    """The address of a view within the UI, from ``#`` on.

    Args:
        experiment_id: where the view was saved.
        key: ``ALL_RUNS``, ``LAST_SWEEP`` or ``CURVES``.
        charts: curves by epoch instead of the table.
    """
    mode = "&compareRunsMode=CHART" if charts else ""
    return f"#/experiments/{experiment_id}/runs?viewStateShareKey={key}{mode}"


def _save(
    client: "MlflowClient",
    experiment_id: str,
    key: str,
    *,
    name: str,
    condition: str,
    group_by: dict[str, Any] | None = None,
) -> None:
    now = time.time_ns() // 10**6
    packed = base64.b64encode(
        zlib.compress(json.dumps(_state(condition, group_by)).encode())
    ).decode()
    view = {"name": name, "createdAt": now, "updatedAt": now, "state": f"deflate;{packed}"}
    client.set_experiment_tag(experiment_id, TAG + key, json.dumps(view))


def _state(condition: str, group_by: dict[str, Any] | None) -> dict[str, Any]:
    """The page's state: filter, order and columns."""
    return {
        "searchFilter": condition,
        "orderByKey": "metrics.`test_f1_macro`",
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": COLUMNS,
        "columnOrder": COLUMNS,
        "columnWidths": {},
        "runsHiddenMode": "SHOWALL",
        "viewMaximized": False,
        "runListHidden": False,
        "isAccordionReordered": False,
        "useGroupedValuesInCharts": True,
        "hideEmptyCharts": True,
        "groupBy": group_by,
        "groupsExpanded": {},
    }
