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

from src.data.dataset import Dataset
from src.evaluation.bootstrap import Resampled, interval, resample
from src.evaluation.decision import decide
from src.runs.identity import is_reference, sampling_of
from src.runs.recorded.record import RunMetadata
from src.saved_model.facts import IMAGE, ServingFacts

FEW_ROWS = 30
"""Below so many test rows of a class its scores are called unsure."""
BADLY_CALIBRATED = 0.05
"""An expected calibration error above this is spelt out."""
MOST_COLUMNS = 60
PREFIXES = {"argmax": "test", "tuned": "test_tuned", "prior": "test_prior"}
"""How the metrics of a decision begin."""
EPOCHS = ("best_epoch", "best_epoch_tuned", "best_epoch_prior")
SPLITS = {
    "random": ("stratified by class", ""),
    "kfold": ("one fold of several, stratified by class", ""),
    "given": (
        "the test rows as they were given",
        "The test rows were given, and the intervals are about rows that come as these did.",
    ),
    "group": (
        "no group of rows in two of them",
        "Rows of one group are alike, and the intervals take each for one of its own: with few "
        "groups in the test they are too short.",
    ),
    "time": (
        "in the order of time",
        "The test rows are later than those trained on, and of one period: a later one may differ.",
    ),
}
"""How the rows were split, and what follows for the intervals; by ``data.split``."""
Row = Sequence[str]


def model_card(
    metadata: RunMetadata,
    config: Mapping[str, Any],
    dataset: Dataset,
    facts: ServingFacts,
    *,
    metrics: Mapping[str, float],
    test_logits: Mapping[str, NDArray[np.floating]],
) -> str:
    """The card, in Markdown; the logits of the test split, shape (n, K), go by decision."""
    y_test = dataset.y_test
    names = facts.class_names
    log_p = {name: log_softmax(test_logits[name].astype(np.float64), axis=1) for name in PREFIXES}
    split = metadata.tags.get("data.split", "random")
    support = np.bincount(y_test, minlength=len(names))
    decided = {
        name: decide(test_logits[name], np.array(facts.offsets_of(name))) for name in PREFIXES
    }
    drawn = {name: resample(y_test, y_pred, len(names)) for name, y_pred in decided.items()}
    accuracy = {name: float((y_pred == y_test).mean()) for name, y_pred in decided.items()}
    return _template().render(
        metadata=metadata,
        training=config["training"],
        sampling=sampling_of(config),
        estimator=is_reference(config),
        optimizer=config["training"]["optimizer"]["_target_"].rpartition(".")[2],
        epochs=[int(metrics.get(name, 0)) for name in EPOCHS],
        facts=facts,
        resamples=len(drawn["argmax"].accuracy),
        results=_results(metrics, drawn, accuracy),
        calibration=_calibration(metrics, log_p, y_test),
        ece=metrics["test_tuned_ece"],
        badly_calibrated=BADLY_CALIBRATED,
        rarest=int(np.bincount(dataset.y_val, minlength=len(names)).min()),
        split_in_words=SPLITS[split][0],
        of_split=SPLITS[split][1],
        few=[f"{names[k]} ({support[k]})" for k in np.flatnonzero(support < FEW_ROWS)],
        never_found=[
            name for k, name in enumerate(names) if metrics[f"test_tuned_recall_class_{k}"] == 0
        ],
        columns=_columns(facts),
        most_columns=MOST_COLUMNS,
        by_class=_by_class(metadata, metrics, drawn, support, np.exp(log_p["tuned"]).mean(axis=0)),
        image=IMAGE,
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
    rows = [
        (
            label,
            *(
                _with_interval(metrics[f"{PREFIXES[name]}_{key}"], getattr(of, key))
                for name, of in drawn.items()
            ),
        )
        for label, key in scores.items()
    ]
    accurate = (_with_interval(accuracy[name], of.accuracy) for name, of in drawn.items())
    return [*rows, ("accuracy", *accurate)]


def _calibration(
    metrics: Mapping[str, float],
    log_p: Mapping[str, NDArray[np.float64]],
    y_test: NDArray[np.int64],
) -> list[Row]:
    nats = {name: -one[np.arange(len(y_test)), y_test] for name, one in log_p.items()}
    squares = {
        name: ((np.exp(one) - np.eye(one.shape[1])[y_test]) ** 2).sum(axis=1)
        for name, one in log_p.items()
    }
    prefixes = PREFIXES.values()
    ece = [f"{metrics[f'{prefix}_ece']:.4f}" for prefix in prefixes]
    precision = [f"{metrics[f'{prefix}_average_precision']:.4f}" for prefix in prefixes]
    return [
        ("log loss, nats", *(_mean_interval(one) for one in nats.values())),
        ("Brier score, 0 to 2", *(_mean_interval(one) for one in squares.values())),
        ("expected calibration error, 15 bins", *ece),
        ("average precision, mean over the classes (higher is better)", *precision),
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
    """The mean, and it plus and minus 1.96 standard errors."""
    mean = values.mean()
    if len(values) < 2 or not np.isfinite(values).all():
        return f"{mean:.4f}"
    half = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    return f"{mean:.4f} [{mean - half:.4f}, {mean + half:.4f}]"


def _table(header: Row, rows: Sequence[Row]) -> str:
    ruled = [header, ["---"] * len(header), *rows]
    cells = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in ruled]
    return "\n".join("| " + " | ".join(row) + " |" for row in cells)
