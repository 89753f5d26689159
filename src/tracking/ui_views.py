"""Saved views of the MLflow UI, so that runs stand side by side without picking columns first.

MLflow keeps a view as an experiment tag: JSON with a name and the page's state, deflated. The
views appear in the *Views* menu of an experiment, and each has a link of its own; the experiment's
description begins with these links.
"""

import base64
import json
import time
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from src.tracking.card_note import NOTE
from src.tracking.columns import KNOBS, SCORES

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

TAG = "mlflow.sharedViewState."
ALL_RUNS = "imbalance-all-runs"
LAST_SWEEP = "imbalance-last-sweep"
CURVES = "imbalance-curves-by-loss"

KIND_TAG, KIND = "mlflow.experimentKind", "custom_model_development"
"""Makes the UI open an experiment with its runs, and not with the traces of a language model."""
EXPERIMENT_NOTE = """\
Losses for imbalanced classification, side by side. A sweep is a parent run, its jobs are its
children; `test_f1_macro` is measured once, at the best epoch by `val_f1_macro`.
`python -m src.compare` gives paired differences with confidence intervals.
"""
COLUMNS = [f"tags.`{name}`" for name in (*KNOBS, *SCORES)]
"""Of the view of all runs; a sweep's has those that differ among its own."""
WIDTHS = {"attributes.`Run Name`": 250} | dict.fromkeys(COLUMNS, 82)
"""Pixels, so that a screen of 1,280 shows them all."""
MAIN = "val_f1_macro"
"""The curves that stand first, over the whole width."""
SHARED = "val_log_loss"
"""The curves that follow: of the losses, the one scale that they share."""
REPLACED = "replaced"
"""Tag of a run that was trained again by ``force=true``: the new run's id."""
BARS = ("test_f1_macro", "test_tuned_f1_macro", "best_val_log_loss")
"""The final scores, last."""
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
CURVES_FIRST, CURVES_NEXT, BARS_LAST = "imbalance-first", "imbalance-next", "imbalance-bars"
SECTIONS: dict[str, dict[str, Any]] = {
    CURVES_FIRST: {"name": "Macro F1 by epoch, validation", "columns": 1, "cardHeight": 360},
    CURVES_NEXT: {"name": "Log loss by epoch, validation", "columns": 1, "cardHeight": 300},
    BARS_LAST: {"name": "Final scores", "columns": 3, "cardHeight": 300},
    "imbalance-others": {"name": "Model metrics", "display": False},
}
"""Parts of the charts' page; the last, folded, receives every other metric."""
BY_LOSS = {
    "aggregateFunction": "average",
    "groupByKeys": [{"mode": "tag", "groupByData": "loss.short"}],
}


def save_views(
    client: "MlflowClient",
    experiment_id: str,
    sweep_id: str | None = None,
    columns: Sequence[str] = COLUMNS,
) -> None:
    """Saves the view of an experiment's runs, and those of a sweep's jobs with their columns.

    ``sweep_id`` is the parent run; None leaves the views of a sweep as they are.
    """
    every = f"tags.`loss` LIKE '%' AND tags.`{REPLACED}` IS NULL"
    views = {ALL_RUNS: ("All runs, best first", _page(every, COLUMNS, None))}
    if sweep_id:
        of_sweep = f"tags.`sweep.{sweep_id}` LIKE '%'"
        views[LAST_SWEEP] = "Last sweep, losses side by side", _page(of_sweep, columns, None)
        views[CURVES] = "Last sweep, curves by loss", _page(of_sweep, columns, BY_LOSS)
    client.set_experiment_tag(experiment_id, KIND_TAG, KIND)
    for key, (name, page) in views.items():
        now, text = time.time_ns() // 10**6, json.dumps(page).encode()
        state = f"deflate;{base64.b64encode(zlib.compress(text)).decode()}"
        view = {"name": name, "createdAt": now, "updatedAt": now, "state": state}
        client.set_experiment_tag(experiment_id, TAG + key, json.dumps(view))
    if sweep_id:
        note = client.get_experiment(experiment_id).tags.get(NOTE, EXPERIMENT_NOTE)
        if note.endswith(EXPERIMENT_NOTE):  # nobody has written another
            linked = f"{view_links(experiment_id)}\n\n{EXPERIMENT_NOTE}"
            client.set_experiment_tag(experiment_id, NOTE, linked)


def view_link(experiment_id: str, key: str, *, charts: bool = False) -> str:
    """The address of a view within the UI, from ``#`` on: its table, or its charts."""
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


def _page(
    condition: str, columns: Sequence[str], group_by: dict[str, Any] | None
) -> dict[str, Any]:
    """The page's state: filter, order, columns and charts."""
    curves = [
        _chart("LINE", metric, section, **CURVE, selectedMetricKeys=[metric])
        for metric, section in ((MAIN, CURVES_FIRST), (SHARED, CURVES_NEXT))
    ]
    return {
        "searchFilter": condition,
        "orderByKey": f"metrics.`{SCORES['val F1']}`",
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": list(columns),
        "columnOrder": list(WIDTHS)[:1] + list(columns),
        "columnWidths": WIDTHS,
        "runsHiddenMode": "SHOW_ALL",
        "viewMaximized": False,
        "runListHidden": False,
        "isAccordionReordered": True,
        "useGroupedValuesInCharts": True,
        "hideEmptyCharts": True,
        "groupBy": group_by,
        "groupsExpanded": {},
        "compareRunSections": [
            {
                "uuid": key,
                "display": True,
                "isReordered": False,
                "deleted": False,
                "isGenerated": key == list(SECTIONS)[-1],
                **options,
            }
            for key, options in SECTIONS.items()
        ],
        "compareRunCharts": [*curves, *(_chart("BAR", metric, BARS_LAST) for metric in BARS)],
    }


def _chart(kind: str, metric: str, section: str, **options: Any) -> dict[str, Any]:
    return {
        "uuid": f"{section}-{metric}",
        "type": kind,
        "metricKey": metric,
        "metricSectionId": section,
        "runsCountToCompare": 10,
        "deleted": False,
        "isGenerated": False,
        **options,
    }
