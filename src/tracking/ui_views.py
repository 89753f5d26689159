"""Saved views of the MLflow UI, so that runs stand side by side without picking columns first.

MLflow keeps a view as an experiment tag: JSON with a name and the page's state, deflated. The
views appear in the *Views* menu of an experiment, and each has a link of its own; the experiment's
description begins with these links.
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

KIND_TAG, KIND = "mlflow.experimentKind", "custom_model_development"
"""Makes the UI open an experiment with its runs, and not with the traces of a language model."""
NOTE_TAG = "mlflow.note.content"
EXPERIMENT_NOTE = """\
Losses for imbalanced classification, side by side. A sweep is a parent run, its jobs are its
children; `test_f1_macro` is measured once, at the best epoch by `val_f1_macro`.
`python -m src.compare` gives paired differences with confidence intervals.
"""
METRICS = ("test_f1_macro", "test_tuned_f1_macro", "best_val_f1_macro", "test_ece")
TAGS = ("loss.label", "seed", "data", "model")
COLUMNS = [f"metrics.`{name}`" for name in METRICS] + [f"tags.`{name}`" for name in TAGS]
CHARTS = ("val_f1_macro", "val_loss", "grad_norm")
"""The curves by epoch that stand first."""
BARS = ("test_f1_macro", "test_tuned_f1_macro", "test_ece")
"""The final scores that follow them."""
CURVE = {
    "xAxisKey": "step",
    "xAxisScaleType": "linear",
    "scaleType": "linear",
    "lineSmoothness": 0,
    "yAxisKey": "metric",
    "useGlobalXaxisKey": True,
    "useGlobalLineSmoothing": True,
}
"""Options of a chart by epoch."""
FIRST_SECTION, OTHERS = "imbalance-first", "imbalance-others"
BY_LOSS = {
    "aggregateFunction": "average",
    "groupByKeys": [{"mode": "tag", "groupByData": "loss.label"}],
}


def save_views(client: "MlflowClient", experiment_id: str, sweep_id: str | None = None) -> None:
    """Saves the view of all runs, and those of a sweep.

    Args:
        client: of the store.
        experiment_id: where the views appear.
        sweep_id: the parent run whose jobs the sweep's views show; None leaves these as they are.
    """

    def save(key: str, name: str, condition: str, group_by: dict[str, Any] | None = None) -> None:
        view = _view(name, condition, group_by)
        client.set_experiment_tag(experiment_id, TAG + key, json.dumps(view))

    client.set_experiment_tag(experiment_id, KIND_TAG, KIND)
    save(ALL_RUNS, "All runs, best first", "tags.`loss` LIKE '%'")
    if sweep_id:
        of_sweep = f"tags.`sweep.{sweep_id}` LIKE '%'"
        save(LAST_SWEEP, "Last sweep, losses side by side", of_sweep)
        save(CURVES, "Last sweep, curves by loss", of_sweep, BY_LOSS)
        _link_views(client, experiment_id)


def view_link(experiment_id: str, key: str, *, charts: bool = False) -> str:
    """The address of a view within the UI, from ``#`` on.

    Args:
        experiment_id: where the view was saved.
        key: ``ALL_RUNS``, ``LAST_SWEEP`` or ``CURVES``.
        charts: curves by epoch instead of the table.
    """
    mode = "&compareRunsMode=CHART" if charts else ""
    return f"{runs_link(experiment_id)}&viewStateShareKey={key}{mode}"


def runs_link(experiment_id: str) -> str:
    """The address of an experiment's runs within the UI, from ``#`` on.

    Args:
        experiment_id: whose runs.
    """
    return f"#/experiments/{experiment_id}/runs?workflowType=machine_learning"


def view_links(experiment_id: str) -> str:
    """Links to the views of the last sweep, in Markdown."""
    table = view_link(experiment_id, LAST_SWEEP)
    curves = view_link(experiment_id, CURVES, charts=True)
    return f"[Last sweep, losses side by side]({table}) · [its curves by loss]({curves})"


def _link_views(client: "MlflowClient", experiment_id: str) -> None:
    """Puts the links before the experiment's description, unless somebody has written another."""
    note = client.get_experiment(experiment_id).tags.get(NOTE_TAG, EXPERIMENT_NOTE)
    if note.endswith(EXPERIMENT_NOTE):
        linked = f"{view_links(experiment_id)}\n\n{EXPERIMENT_NOTE}"
        client.set_experiment_tag(experiment_id, NOTE_TAG, linked)


def _view(name: str, condition: str, group_by: dict[str, Any] | None) -> dict[str, Any]:
    """A saved view: its name, and the state of the page, packed."""
    now = time.time_ns() // 10**6
    state = zlib.compress(json.dumps(_page(condition, group_by)).encode())
    packed = f"deflate;{base64.b64encode(state).decode()}"
    return {"name": name, "createdAt": now, "updatedAt": now, "state": packed}


def _page(condition: str, group_by: dict[str, Any] | None) -> dict[str, Any]:
    """The page's state: filter, order, columns and charts."""
    curves = [_chart("LINE", metric, **CURVE, selectedMetricKeys=[metric]) for metric in CHARTS]
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
        "runsHiddenMode": "SHOW_ALL",
        "viewMaximized": False,
        "runListHidden": False,
        "isAccordionReordered": False,
        "useGroupedValuesInCharts": True,
        "hideEmptyCharts": True,
        "groupBy": group_by,
        "groupsExpanded": {},
        "compareRunSections": [
            _section(FIRST_SECTION, "Losses side by side", generated=False),
            _section(OTHERS, "Model metrics", generated=True),
        ],
        "compareRunCharts": curves + [_chart("BAR", metric) for metric in BARS],
    }


def _section(key: str, name: str, *, generated: bool) -> dict[str, Any]:
    """A part of the charts' page; the generated one receives every other metric."""
    flags = {"display": True, "isReordered": False, "deleted": False, "isGenerated": generated}
    return {"uuid": key, "name": name, **flags}


def _chart(kind: str, metric: str, **options: Any) -> dict[str, Any]:
    return {
        "uuid": f"{FIRST_SECTION}-{metric}",
        "type": kind,
        "metricKey": metric,
        "metricSectionId": FIRST_SECTION,
        "runsCountToCompare": 10,
        "deleted": False,
        "isGenerated": False,
        **options,
    }
