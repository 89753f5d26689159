"""The model card of a run: what was trained on what, how good it is and how sure, and its limits.

After Mitchell et al. 2019, "Model cards for model reporting", FAT*. Made from recorded numbers
alone; TensorFlow is not needed. The text is that of ``templates/model_card.md.j2``.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, Template
from numpy.typing import NDArray
from scipy.special import log_softmax

from src.evaluation.bootstrap import Resampled, interval, resample
from src.evaluation.decision import decide
from src.runs.record import RunMetadata
from src.saved_model.facts import ServingFacts

FEW_ROWS = 30
"""Below so many test rows of a class its scores are called unsure."""
BADLY_CALIBRATED = 0.05
"""An expected calibration error above this is spelt out."""
MOST_COLUMNS = 60
Row = Sequence[str]


def model_card(
    metadata: RunMetadata,
    config: Mapping[str, Any],
    facts: ServingFacts,
    metrics: Mapping[str, float],
    *,
    best_epoch: int,
    y_test: NDArray[np.int64],
    test_logits: NDArray[np.floating],
    y_val: NDArray[np.int64],
) -> str:
    """The card, in Markdown.

    Args:
        metadata: of the run's record.
        config: the resolved config.
        facts: of the saved model.
        metrics: final ones.
        best_epoch: counted from 1.
        y_test: class numbers of the test split, shape (n,).
        test_logits: shape (n, K).
        y_val: class numbers of the validation split.
    """
    names = facts.class_names
    log_p = log_softmax(test_logits.astype(np.float64), axis=1)
    support = np.bincount(y_test, minlength=len(names))
    decided = {
        "argmax": decide(test_logits, np.zeros(len(names))),
        "tuned": decide(test_logits, np.array(facts.offsets)),
    }
    drawn = {name: resample(y_test, y_pred, len(names)) for name, y_pred in decided.items()}
    accuracy = {name: float((y_pred == y_test).mean()) for name, y_pred in decided.items()}
    return _template().render(
        metadata=metadata,
        training=config["training"],
        optimizer=config["training"]["optimizer"]["_target_"].rpartition(".")[2],
        best_epoch=best_epoch,
        facts=facts,
        resamples=len(drawn["argmax"].accuracy),
        results=_results(metrics, drawn, accuracy),
        calibration=_calibration(metrics, log_p, y_test),
        ece=metrics["test_ece"],
        badly_calibrated=BADLY_CALIBRATED,
        rarest=int(np.bincount(y_val, minlength=len(names)).min()),
        few=[f"{names[k]} ({support[k]})" for k in np.flatnonzero(support < FEW_ROWS)],
        never_found=[
            name for k, name in enumerate(names) if metrics[f"test_tuned_recall_class_{k}"] == 0
        ],
        columns=_columns(facts),
        most_columns=MOST_COLUMNS,
        by_class=_by_class(metadata, metrics, drawn, support, np.exp(log_p).mean(axis=0)),
        table=_table,
    )


@cache
def _template() -> Template:
    loader = PackageLoader("src.runs")
    return Environment(loader=loader, keep_trailing_newline=True).get_template("model_card.md.j2")


def _results(
    metrics: Mapping[str, float], drawn: Mapping[str, Resampled], accuracy: Mapping[str, float]
) -> list[Row]:
    scores = {"macro F1": "f1_macro", "balanced accuracy (mean recall)": "balanced_accuracy"}
    prefixes = {"argmax": "test", "tuned": "test_tuned"}
    rows = [
        (
            label,
            *(
                _with_interval(metrics[f"{prefixes[name]}_{key}"], getattr(of, key))
                for name, of in drawn.items()
            ),
        )
        for label, key in scores.items()
    ]
    accurate = (_with_interval(accuracy[name], of.accuracy) for name, of in drawn.items())
    return [*rows, ("accuracy", *accurate)]


def _calibration(
    metrics: Mapping[str, float], log_p: NDArray[np.float64], y_test: NDArray[np.int64]
) -> list[Row]:
    nats = -log_p[np.arange(len(y_test)), y_test]
    squares = ((np.exp(log_p) - np.eye(log_p.shape[1])[y_test]) ** 2).sum(axis=1)
    return [
        ("log loss, nats", f"{metrics['test_log_loss']:.4f}", _mean_interval(nats)),
        ("Brier score, 0 to 2", f"{metrics['test_brier']:.4f}", _mean_interval(squares)),
        ("expected calibration error, 15 bins", f"{metrics['test_ece']:.4f}", "none"),
    ]


def _columns(facts: ServingFacts) -> list[Row]:
    if facts.table is None:
        return []
    categories = zip(facts.table.categorical, facts.table.categories, strict=True)
    return [
        *((f"`{name}`", "number") for name in facts.table.numeric),
        *((f"`{name}`", f"{len(known)} categories") for name, known in categories),
    ]


def _by_class(
    metadata: RunMetadata,
    metrics: Mapping[str, float],
    drawn: Mapping[str, Resampled],
    support: NDArray[np.int64],
    expected: NDArray[np.float64],
) -> list[Row]:
    return [
        (
            name,
            f"{metadata.dataset['class_counts'][k]:,}",
            f"{support[k]:,}",
            _with_interval(metrics[f"test_f1_class_{k}"], drawn["argmax"].f1[:, k]),
            _with_interval(metrics[f"test_tuned_f1_class_{k}"], drawn["tuned"].f1[:, k]),
            " / ".join(f"{metrics[f'{of}_recall_class_{k}']:.3f}" for of in ("test", "test_tuned")),
            f"{expected[k]:.3f} / {support[k] / support.sum():.3f}",
        )
        for k, name in enumerate(metadata.dataset["class_names"])
    ]


def _with_interval(value: float, draws: NDArray[np.float64]) -> str:
    low, high = interval(draws)
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _mean_interval(values: NDArray[np.float64]) -> str:
    """The mean plus and minus 1.96 standard errors."""
    if len(values) < 2 or not np.isfinite(values).all():
        return "none"
    half = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    return f"[{values.mean() - half:.4f}, {values.mean() + half:.4f}]"


def _table(header: Row, rows: Sequence[Row]) -> str:
    ruled = [header, ["---"] * len(header), *rows]
    cells = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in ruled]
    return "\n".join("| " + " | ".join(row) + " |" for row in cells)
