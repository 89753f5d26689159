"""What a run is called: ``focal(gamma=2, alpha=0.25)``, and in short ``focal γ2 α.25``.

The first is the label that tags, files and options hold; the second is what people read.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from src.config.estimator_schema import ESTIMATORS
from src.config.schema import SMOTEConfig
from src.runs.identity import is_reference, sampling_of

SAMPLED_BY = " + "
"""Between a loss or an estimator and how its training rows are sampled."""
NO_KNOBS = ("name", "_target_", "batches")
USUAL = {one.name: one.default for one in fields(SMOTEConfig)}
"""What a sampler is given where nobody chooses; a label leaves it out."""

MADE_WITH = re.compile(r"([^()]+)\((.+)\)", re.DOTALL)
"""A name and its knobs."""
KNOB = re.compile(r"(\w+)=(\[[^\]]*\]|[^,]*)(?:, |$)")
IN_TEXT = re.compile(r"(?<![\w.])[a-z]\w*\((?:\w+=(?:\[[^\]()]*\]|[^,()<>]*)(?:, )?)+\)")
"""A label with knobs among other words."""
IN_SHORT = {
    **{"gamma": "γ", "alpha": "α", "beta": "β", "tau": "τ", "epsilon": "ε"},
    **{"gamma_neg": "neg", "gamma_pos": "pos", "max_margin": "m", "margin": "m", "scale": "s"},
    "smoothing": "",
}
PLAIN = str.maketrans(
    dict(zip("γαβτε·×✓–", "gabte-x*-", strict=True)) | {"±": "+/-", "…": "...", "≥": ">="}
)
"""For output whose encoding has no such characters."""


def run_label(config: Mapping[str, Any]) -> str:
    """The loss or the estimator of a run, by its config, and how its rows are sampled."""
    reference = is_reference(config)
    label = estimator_label(config["estimator"]) if reference else loss_label(config["loss"])
    sampling = sampling_of(config)
    if not sampling:
        return label
    knobs = {key: value for key, value in sampling.items() if key not in NO_KNOBS}
    own = {key: value for key, value in knobs.items() if value != USUAL.get(key)}
    return f"{label}{SAMPLED_BY}{_with_knobs(config['sampling']['name'], own)}"


def loss_label(loss: Mapping[str, Any]) -> str:
    """A resolved ``loss`` node and the knobs that it uses: ``focal(gamma=2, alpha=0.25)``."""
    return _with_knobs(loss["name"], dict(_knobs(loss["fn"])))


def short_label(label: str) -> str:
    """A label as people read it: ``focal γ2 α.25`` for ``focal(gamma=2, alpha=0.25)``.

    Different labels stay different.
    """
    return SAMPLED_BY.join(map(_in_short, label.split(SAMPLED_BY)))


def shortened(text: str) -> str:
    """A text or a page, with each label in it as people read it."""
    return IN_TEXT.sub(lambda found: _in_short(found[0]), text)


def encodable(text: str, encoding: str | None) -> str:
    """The text, with plain letters in it where an encoding has no Greek ones."""
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return text.translate(PLAIN)
    return text


def _in_short(label: str) -> str:
    made = MADE_WITH.fullmatch(label)
    knobs = KNOB.findall(made[2]) if made else []
    if made is None or ", ".join(f"{key}={value}" for key, value in knobs) != made[2]:
        return label
    return " ".join([made[1], *(f"{_key(key)}{_value(value)}" for key, value in knobs)])


def _key(name: str) -> str:
    """A letter or two as they are, longer ones as words."""
    words = name if len(name) <= 2 else f"{name.replace('_', ' ')} "
    return IN_SHORT.get(name, words)


def _value(text: str) -> str:
    """A number without the zero before its point; a stroke between several, a word set off."""
    numbers = "/".join(re.sub(r"^(-?)0\.", r"\1.", one) for one in text.strip("[]").split(", "))
    return f" {numbers.lower()}" if numbers[:1].isalpha() else numbers


def estimator_label(node: Mapping[str, Any]) -> str:
    """The estimator and what is not as usual in its node: ``random forest, balanced(C=10)``."""
    usual = vars(ESTIMATORS[node["name"]]())
    name = node["name"].replace("_", " ")
    name += ", balanced" if node.get("class_weight") else ""
    knobs = {key: value for key, value in node.items() if key not in {"name", "class_weight"}}
    return _with_knobs(name, {key: value for key, value in knobs.items() if value != usual[key]})


def _knobs(fn: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What a loss is made with, and a loss within it."""
    hidden = {"_target_", "from_logits", "class_counts", "name", "reduction"}
    for key, value in fn.items():
        if isinstance(value, Mapping):
            yield from _knobs(value)
        elif key not in hidden:
            yield key, value


def _with_knobs(name: str, knobs: Mapping[str, Any]) -> str:
    shown = ", ".join(f"{key}={_short(value)}" for key, value in knobs.items())
    return f"{name}({shown})" if shown else str(name)


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return "[" + ", ".join(_short(entry) for entry in value) + "]"
    return str(value)
