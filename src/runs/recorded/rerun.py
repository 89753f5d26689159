"""Trains a recorded run again from its record alone, and holds the results against it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from src.data.dataset import Dataset
from src.engine.build import load_dataset
from src.engine.sampling import sampled
from src.errors import UserError
from src.runs.identity import (
    code_of,
    git_state,
    is_reference,
    library_versions,
    run_identity,
    setting_identity,
)
from src.runs.import_tensorflow import import_tensorflow
from src.runs.recorded import record
from src.runs.recorded.record_reader import Recorded, read_weights
from src.runs.recorded.recorded_targets import check_targets

if TYPE_CHECKING:
    from src.references.fit import Fitted


@dataclass(frozen=True)
class Difference:
    """One quantity that came out otherwise.

    Attributes:
        what: a metric with its epoch, an array, or a weight.
        recorded: its value in the record, or a summary of an array.
        again: its value now.
        by: largest absolute difference; NaN where shapes differ.
    """

    what: str
    recorded: str
    again: str
    by: float


@dataclass(frozen=True)
class Rerun:
    """A run that was executed again.

    Attributes:
        compared: how many numbers were held against the record.
        differences: what came out otherwise; empty where all is identical to the bit.
        allowed: what of data, versions or code is not as recorded, and was allowed.
        own_modules: the user's, by dotted names, that parts were built from.
    """

    compared: int
    differences: list[Difference]
    allowed: list[str]
    own_modules: tuple[str, ...]


def rerun(
    recorded: Recorded, *, allow_different: bool = False, trusted: Sequence[str] = ()
) -> Rerun:
    """Executes a recorded run again and compares every number.

    Nothing that the record names is built before it is known to be allowed and as recorded.

    Args:
        recorded: the record.
        allow_different: go on where data, library versions or code are not as recorded.
        trusted: names that the record may build beside those of
            :mod:`src.runs.recorded.recorded_targets`.

    Raises:
        UserError: where the record may not be built, or something is not as recorded.
    """
    config = recorded.config | {"training": recorded.config["training"] | {"progress": True}}
    own_modules = check_targets(config, trusted)
    dataset, differs = _load_as_recorded(recorded, config, allow_different=allow_different)
    if is_reference(config):
        pairs = list(_pairs_of_reference(recorded, _fit_again(config, dataset)))
    else:
        pairs = list(_pairs(recorded, config, dataset))
    compared = sum(np.size(new) for _, _, new in pairs)
    return Rerun(compared, _differences(pairs), differs, own_modules)


def refit(recorded: Recorded) -> tuple[Dataset, "Fitted"]:
    """Fits a recorded estimator again.

    Returns:
        The data, and the estimator with what it predicts, every number as recorded.

    Raises:
        UserError: where something is not as recorded, or comes out otherwise.
    """
    check_targets(recorded.config)
    dataset, _ = _load_as_recorded(recorded, recorded.config)
    fitted = _fit_again(recorded.config, dataset)
    differences = _differences(list(_pairs_of_reference(recorded, fitted)))
    if differences:
        raise UserError(
            f"run {recorded.run_id}: fitted again, it gives other numbers, such as "
            f"{differences[0].what} {differences[0].again} for {differences[0].recorded}; "
            f"python -m src.reproduce {recorded.run_id} shows them all"
        )
    return dataset, fitted


def _fit_again(config: Mapping[str, Any], dataset: Dataset) -> "Fitted":
    from src.references.fit import fit

    return fit(config, sampled(dataset, config))


def _load_as_recorded(
    recorded: Recorded, config: dict[str, Any], *, allow_different: bool = False
) -> tuple[Dataset, list[str]]:
    """The data, and what is not as recorded, where that is allowed."""
    differs = _known_before_loading(recorded, config)
    _refuse(recorded, [] if allow_different else differs)
    dataset = load_dataset(config["data"])
    differs += _known_with_data(recorded, config, dataset, clean=not differs)
    _refuse(recorded, [] if allow_different else differs)
    return dataset, differs


def _refuse(recorded: Recorded, differs: Sequence[str]) -> None:
    if differs:
        listed = "\n  ".join(differs)
        raise UserError(
            f"run {recorded.run_id} is not reproducible:\n  {listed}\n"
            "--allow-different trains it all the same and reports what comes out"
        )


def _pairs(
    recorded: Recorded, config: dict[str, Any], dataset: Dataset
) -> Iterator[tuple[str, Any, Any]]:
    """Trains again; each quantity by name, as recorded and as it came out."""
    training_data = sampled(dataset, config)
    # earlier versions had no such key, and none of its kernels
    import_tensorflow(onednn=config["training"].get("onednn", False))
    from src.engine.fit import train
    from src.evaluation.scores import score_decisions

    trained = train(config, training_data, recorded.name)
    none: dict[str, float] = {}
    epochs = zip_longest(recorded.history, trained.history, fillvalue=none)
    for epoch, (before, now) in enumerate(epochs if recorded.history else (), start=1):
        for name in {**before, **now}:
            if name not in {"epoch", "time_ms"}:
                yield f"epoch {epoch}: {name}", before.get(name), now.get(name)
    yield from _pairs_of_logits(recorded, trained.logits)
    scores = score_decisions(dataset.y_val, dataset.y_test, trained.by_decision, trained.prior)
    for name, value in (scores.values | trained.crossfit).items():
        yield name, recorded.metrics.get(name), value
    if recorded.model is not None:  # read last: an operation before training would fix the threads
        weights = {"": trained.model.get_weights(), **trained.own_weights}
        paths = [variable.path for variable in trained.model.weights]
        for decision, arrays in weights.items():
            known = not decision or f"{decision}_val_logits" in recorded.logits
            kept = read_weights(recorded.model, decision) if known else []
            for old, new, path in zip_longest(kept, arrays, paths):
                yield f"{decision} weights: {path or 'one more'}".lstrip(), old, new


def _pairs_of_logits(
    recorded: Recorded, logits: Mapping[str, NDArray[Any]]
) -> Iterator[tuple[str, Any, Any]]:
    for name in {**recorded.logits, **logits} if recorded.logits else ():
        yield name.replace("_", " "), recorded.logits.get(name), logits.get(name)


def _pairs_of_reference(recorded: Recorded, fitted: "Fitted") -> Iterator[tuple[str, Any, Any]]:
    """The same where an estimator was fitted."""
    yield from _pairs_of_logits(recorded, fitted.logits)
    for name, value in fitted.metrics.items():
        if not name.startswith("seconds_"):
            yield name, recorded.metrics.get(name), value


def _differences(pairs: Sequence[tuple[str, Any, Any]]) -> list[Difference]:
    return [found for pair in pairs if (found := _difference(*pair)) is not None]


def _difference(what: str, old: Any, new: Any) -> Difference | None:
    """None where both are the same to the bit; NaN equals NaN."""
    if old is None or new is None:
        return Difference(what, str(old), str(new), float("nan"))
    a, b = np.asarray(old), np.asarray(new)
    if a.shape != b.shape:
        return Difference(what, f"shape {a.shape}", f"shape {b.shape}", float("nan"))
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    if same.all():
        return None
    gap = np.abs(a.astype(np.float64) - b.astype(np.float64))
    widest = int(np.where(same, -1.0, np.nan_to_num(gap, nan=np.inf)).argmax())
    return Difference(
        what, repr(a.flat[widest].item()), repr(b.flat[widest].item()), float(gap.flat[widest])
    )


def _known_before_loading(recorded: Recorded, config: dict[str, Any]) -> list[str]:
    """What must be as recorded, and is not, as far as it is known without the data."""
    tags, differs = recorded.tags, []
    for name, version in library_versions(config).items():
        before = tags.get(f"version.{name}", "none")
        if version != before:
            differs.append(f"{name}: version {before} recorded, {version} installed")
    if code_of(config) != tags.get("code"):
        commit = tags.get("mlflow.source.git.commit", "none")
        changed = " with changes" if tags.get("git.changed") == "true" else ""
        differs.append(
            f"code: commit {commit}{changed} recorded, {git_state()[0]} here, and they differ"
        )
    differs += _changed("setting", tags.get("setting", "none"), setting_identity(config))
    return differs


def _known_with_data(
    recorded: Recorded, config: dict[str, Any], dataset: Dataset, *, clean: bool
) -> list[str]:
    """The same of the data; where all else is as recorded, of the whole identity too."""
    fingerprint = recorded.tags.get("data.fingerprint", "none")
    if dataset.fingerprint != fingerprint:
        return [
            f"data: fingerprint {fingerprint[:16]}… recorded, "
            f"{dataset.fingerprint[:16]}… today ({dataset.source})"
        ]
    identity = run_identity(config, dataset)
    return _changed("identity", recorded.tags["identity"], identity) if clean else []


def _changed(what: str, before: str, now: str) -> list[str]:
    if before == now:
        return []
    return [
        f"config: {what} {before[:16]}… recorded, {now[:16]}… from {record.CONFIG}: the file was "
        "changed"
    ]
