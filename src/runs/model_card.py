"""The model card of a run: what was trained on what, how good it is and how sure, and its limits.

After Mitchell et al. 2019, "Model cards for model reporting", FAT*. Made from recorded numbers
alone; TensorFlow is not needed.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from src.evaluation.bootstrap import Resampled, interval, resample
from src.evaluation.decision import decide
from src.runs.card_note import TITLE
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
    classes = len(facts.class_names)
    decided = {
        "argmax": decide(test_logits, np.zeros(classes)),
        "tuned": decide(test_logits, np.array(facts.offsets)),
    }
    drawn = {name: resample(y_test, y_pred, classes) for name, y_pred in decided.items()}
    sections = [
        _intro(metadata, config, best_epoch),
        _results(
            metrics, drawn, {k: (y == y_test).mean() for k, y in decided.items()}, len(y_test)
        ),
        _calibration(metrics, y_test, test_logits),
        _limits(metadata, facts, metrics, y_test, y_val),
        _loading(facts),
        _data(metadata, facts),
        _by_class(metadata, facts, metrics, drawn=drawn, y_test=y_test, logits=test_logits),
    ]
    return "\n\n".join(sections) + "\n"


def _intro(metadata: RunMetadata, config: Mapping[str, Any], best_epoch: int) -> str:
    training, tags = config["training"], metadata.tags
    return (
        f"{TITLE}{metadata.description}\n\n"
        f"Trained with loss `{tags['loss.label']}`, model `{tags['model']}`, optimizer "
        f"`{training['optimizer']['_target_'].rsplit('.', 1)[-1]}` at learning rate "
        f"{training['learning_rate']:g}, batches of {training['batch_size']}, up to "
        f"{training['epochs']} epochs; the weights are those of epoch {best_epoch}. "
        f"TensorFlow {tags['version.tensorflow']}, Keras {tags['version.keras']}. "
        f"Identity `{metadata.identity[:16]}`."
    )


def _results(
    metrics: Mapping[str, float],
    drawn: Mapping[str, Resampled],
    accuracy: Mapping[str, float],
    rows: int,
) -> str:
    scores = {
        "macro F1": "f1_macro",
        "balanced accuracy (mean recall)": "balanced_accuracy",
    }
    lines = []
    for name, key in scores.items():
        values = metrics[f"test_{key}"], metrics[f"test_tuned_{key}"]
        cells = [
            _with_ends(value, getattr(of, key))
            for value, of in zip(values, (drawn["argmax"], drawn["tuned"]), strict=True)
        ]
        lines.append((name, *cells))
    accurate = [_with_ends(accuracy[name], of.accuracy) for name, of in drawn.items()]
    lines.append(("accuracy", *accurate))
    return (
        f"## Results on the test split\n\n{rows:,} rows, used once. In brackets the 95 % bootstrap "
        f"interval over these rows ({len(drawn['argmax'].accuracy)} resamples).\n\n"
        + _table(("score", "at argmax", "decision tuned on validation"), lines)
        + "\n\nThe tuned decision adds an offset to the logit of each class before the largest "
        "wins; the offsets are those of the highest macro F1 on the validation split."
    )


def _calibration(
    metrics: Mapping[str, float], y_test: NDArray[np.int64], logits: NDArray[np.floating]
) -> str:
    log_p = log_softmax(logits.astype(np.float64), axis=1)
    nats = -log_p[np.arange(len(y_test)), y_test]
    truth = np.eye(logits.shape[1])[y_test]
    squares = ((np.exp(log_p) - truth) ** 2).sum(axis=1)
    lines = [
        ("log loss, nats", f"{metrics['test_log_loss']:.4f}", _normal(nats)),
        ("Brier score, 0 to 2", f"{metrics['test_brier']:.4f}", _normal(squares)),
        ("expected calibration error, 15 bins", f"{metrics['test_ece']:.4f}", "none"),
    ]
    verdict = (
        f"Confidence and accuracy differ by {100 * metrics['test_ece']:.1f} points on average"
        + (
            "; calibrate the probabilities before they are taken at their word."
            if metrics["test_ece"] > BADLY_CALIBRATED
            else "."
        )
    )
    return (
        "## Calibration\n\nOf the probabilities, which no decision changes. The interval is the "
        "mean plus and minus 1.96 standard errors.\n\n"
        + _table(("score, lower is better", "test split", "95 % interval"), lines)
        + f"\n\n{verdict}"
    )


def _limits(
    metadata: RunMetadata,
    facts: ServingFacts,
    metrics: Mapping[str, float],
    y_test: NDArray[np.int64],
    y_val: NDArray[np.int64],
) -> str:
    names = facts.class_names
    support = np.bincount(y_test, minlength=len(names))
    few = [f"{names[k]} ({support[k]})" for k in np.flatnonzero(support < FEW_ROWS)]
    rarest = int(np.bincount(y_val, minlength=len(names)).min())
    limits = [
        "One split and one seed. The intervals hold the chance in the test rows, not that in the "
        "split, the starting weights and the order of the batches; other seeds may well lie "
        "outside.",
        f"The decision's offsets were tuned on {len(y_val):,} validation rows, {rarest} of them of "
        "the rarest class.",
        f"Rows are taken to come as those of {metadata.dataset['name']} did. Where classes become "
        "more or less frequent, or columns change their meaning, nothing here holds.",
    ]
    if few:
        shown = ", ".join(few[:10]) + (" and others" if len(few) > 10 else "")
        limits.append(f"Few test rows, hence unsure scores: {shown}.")
    never = [names[k] for k in range(len(names)) if metrics[f"test_tuned_recall_class_{k}"] == 0]
    if never:
        limits.append(f"Never found on the test split by the tuned decision: {', '.join(never)}.")
    limits += list(_column_limits(facts))
    return "## Known limits\n\n" + "\n".join(f"- {limit}" for limit in limits)


def _column_limits(facts: ServingFacts) -> Iterator[str]:
    if facts.table is None:
        yield (
            "Rows are arrays on the scale that the model was trained on (standardised, or pixels "
            "from 0 to 1); the model scales nothing itself."
        )
        return
    if facts.table.categorical:
        yield "A category that training did not see counts as none of the known ones."
    if facts.table.missing == "impute":
        yield (
            "A missing number counts as the median of the training rows; only columns with gaps in "
            "training tell the model that it was missing."
        )
    else:
        yield "A missing value is refused, as in training."


def _loading(facts: ServingFacts) -> str:
    rows = "a table with the columns below" if facts.table else "a float32 array"
    shape = ", ".join(map(str, ("n", *facts.input_shape)))
    return (
        "## How to load\n\n"
        "```python\nimport mlflow\n\n"
        'model = mlflow.pyfunc.load_model("runs:/RUN_ID/model")\n'
        'model.predict(rows)  # params={"decision": "argmax"} for the most probable class\n```\n\n'
        f"`rows` is {rows}; the answer has a column `class` and one probability a class. "
        f"`mlflow.keras.load_model` gives the bare network: features of shape ({shape}) in, logits "
        "out. `python -m src.predict --model RUN_ID rows.csv -o out.csv` predicts a file."
    )


def _data(metadata: RunMetadata, facts: ServingFacts) -> str:
    rows = metadata.dataset["rows"]
    lines = [
        f"`{metadata.dataset['source']}`, fingerprint `{metadata.dataset['fingerprint'][:16]}`; "
        f"{rows['train']:,} rows to train, {rows['val']:,} to validate, {rows['test']:,} to test, "
        "stratified by class."
    ]
    if facts.table:
        kinds = [(f"`{name}`", "number") for name in facts.table.numeric]
        categories = zip(facts.table.categorical, facts.table.categories, strict=True)
        kinds += [(f"`{name}`", f"{len(known)} categories") for name, known in categories]
        lines.append(_table(("column", "holds"), kinds[:MOST_COLUMNS]))
        if len(kinds) > MOST_COLUMNS:
            lines.append(f"and {len(kinds) - MOST_COLUMNS} more; `serving.json` has them all.")
    return "## Data\n\n" + "\n\n".join(lines)


def _by_class(
    metadata: RunMetadata,
    facts: ServingFacts,
    metrics: Mapping[str, float],
    *,
    drawn: Mapping[str, Resampled],
    y_test: NDArray[np.int64],
    logits: NDArray[np.floating],
) -> str:
    expected = np.exp(log_softmax(logits.astype(np.float64), axis=1)).mean(axis=0)
    share = np.bincount(y_test, minlength=len(facts.class_names)) / len(y_test)
    lines = [
        (
            name,
            f"{metadata.dataset['class_counts'][k]:,}",
            f"{round(share[k] * len(y_test)):,}",
            _with_ends(metrics[f"test_f1_class_{k}"], drawn["argmax"].f1[:, k]),
            _with_ends(metrics[f"test_tuned_f1_class_{k}"], drawn["tuned"].f1[:, k]),
            " / ".join(f"{metrics[f'{of}_recall_class_{k}']:.3f}" for of in ("test", "test_tuned")),
            f"{expected[k]:.3f} / {share[k]:.3f}",
        )
        for k, name in enumerate(facts.class_names)
    ]
    columns = (
        "class",
        "training rows",
        "test rows",
        "F1 at argmax",
        "F1, tuned",
        "recall at argmax / tuned",
        "mean probability / share of test rows",
    )
    return "## By class\n\n" + _table(columns, lines)


def _with_ends(value: float, draws: NDArray[np.float64]) -> str:
    low, high = interval(draws)
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _normal(values: NDArray[np.float64]) -> str:
    if len(values) < 2 or not np.isfinite(values).all():
        return "none"
    half = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    return f"[{values.mean() - half:.4f}, {values.mean() + half:.4f}]"


def _table(header: Row, rows: Sequence[Row]) -> str:
    ruled = [header, ["---"] * len(header), *rows]
    cells = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in ruled]
    return "\n".join("| " + " | ".join(row) + " |" for row in cells)
