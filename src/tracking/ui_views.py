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
FIRST = "imbalance-first"
SECTIONS = {FIRST: "Losses side by side", "imbalance-others": "Model metrics"}
"""Parts of the charts' page; the second receives every other metric."""
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
        now, page = time.time_ns() // 10**6, json.dumps(_page(condition, group_by))
        state = f"deflate;{base64.b64encode(zlib.compress(page.encode())).decode()}"
        view = {"name": name, "createdAt": now, "updatedAt": now, "state": state}
        client.set_experiment_tag(experiment_id, TAG + key, json.dumps(view))

    client.set_experiment_tag(experiment_id, KIND_TAG, KIND)
    save(ALL_RUNS, "All runs, best first", "tags.`loss` LIKE '%'")
    if sweep_id:
        of_sweep = f"tags.`sweep.{sweep_id}` LIKE '%'"
        save(LAST_SWEEP, "Last sweep, losses side by side", of_sweep)
        save(CURVES, "Last sweep, curves by loss", of_sweep, BY_LOSS)
        note = client.get_experiment(experiment_id).tags.get(NOTE_TAG, EXPERIMENT_NOTE)
        if note.endswith(EXPERIMENT_NOTE):  # nobody has written another
            linked = f"{view_links(experiment_id)}\n\n{EXPERIMENT_NOTE}"
            client.set_experiment_tag(experiment_id, NOTE_TAG, linked)


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
    """The address of an experiment's runs within the UI, from ``#`` on."""
    return f"#/experiments/{experiment_id}/runs?workflowType=machine_learning"


def artifact_link(experiment_id: str, run_id: str, path: str) -> str:
    """The address of a run's artifact within the UI, from ``#`` on."""
    return f"#/experiments/{experiment_id}/runs/{run_id}/artifacts/{path}"


def view_links(experiment_id: str) -> str:
    """Links to the views of the last sweep, in Markdown."""
    table = view_link(experiment_id, LAST_SWEEP)
    curves = view_link(experiment_id, CURVES, charts=True)
    return f"[Last sweep, losses side by side]({table}) · [its curves by loss]({curves})"


def _page(condition: str, group_by: dict[str, Any] | None) -> dict[str, Any]:
    """The page's state: filter, order, columns and charts."""
    curves = [_chart("LINE", metric, **CURVE, selectedMetricKeys=[metric]) for metric in CHARTS]
    return {
        "searchFilter": condition,
        "orderByKey": "metrics.`best_val_f1_macro`",
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
            {
                "uuid": key,
                "name": name,
                "display": True,
                "isReordered": False,
                "deleted": False,
                "isGenerated": key != FIRST,
            }
            for key, name in SECTIONS.items()
        ],
        "compareRunCharts": curves + [_chart("BAR", metric) for metric in BARS],
    }


def _chart(kind: str, metric: str, **options: Any) -> dict[str, Any]:
    return {
        "uuid": f"{FIRST}-{metric}",
        "type": kind,
        "metricKey": metric,
        "metricSectionId": FIRST,
        "runsCountToCompare": 10,
        "deleted": False,
        "isGenerated": False,
        **options,
    }
