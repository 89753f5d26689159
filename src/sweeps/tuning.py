"""The plan of a sweep: what each loss is tuned over, and on which seeds the losses are compared."""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from src.errors import UserError

TUNABLE = ("loss.", "model.", "training.")
SEED = "training.seed"
START_UP = 20.0
"""Seconds until the first job trains, and for the comparison at the end."""
LONG = 1500.0
"""Seconds of a plan, beyond which less is offered."""
FEW_LOSSES = 2
QUICK = ("none", "quick", "study_quick")
"""Choices of ``references`` that have no quicker one."""
FRESH = "'seed=range(100,120)'"
EXTENDED = (
    "Seeds {} of the same settings were swept before: seeds that are added once results are known "
    "make differences out of chance, and the comparison will say so."
)


def tuned_keys(config: Mapping[str, Any]) -> list[str]:
    """The keys that each loss is tuned over, in their order."""
    return list(map(str, config.get("tuning", {}).get("keys", ())))


def check_plan(
    config: Mapping[str, Any],
    known: Collection[str],
    values: Mapping[str, Collection[str]],
    seeds: Collection[int],
) -> None:
    """Holds the ``tuning`` node of a sweep against what the sweep varies.

    Args:
        config: the sweep's.
        known: those of the tuned keys that the config of any of its jobs has.
        values: different values of each key that is set, as text.
        seeds: of the jobs.

    Raises:
        UserError: for a key that is not tuned, and a seed that settings were chosen on.
    """
    keys = tuned_keys(config)
    said = f"tuning.keys=[{','.join(keys)}]"
    for key in keys:
        if not key.startswith(TUNABLE) or key == SEED:
            raise UserError(
                f"{said}: {key} cannot be tuned; right are keys of loss, model and training"
            )
        if len(values.get(key, ())) > 1:
            continue
        for value in values.get(key, ()):
            raise UserError(
                f"{key}={value}: one value is nothing to tune over; give several, separated by "
                "commas, or compare the losses at this one with tuning=none"
            )
        if key not in known:
            section = key.partition(".")[0]
            raise UserError(f"{said}: no {section} of this sweep has the key {key}")
        raise UserError(
            f"{said}: {key} is not varied in this sweep; give several values of it, separated by "
            "commas, or leave it out of tuning.keys"
        )
    chosen_on = config.get("tuning", {}).get("chosen_on", ())
    for seed in sorted(set(seeds) & set(chosen_on)):
        raise UserError(
            f"seed={seed}: settings were chosen on this seed (tuning.chosen_on), so it cannot "
            f"confirm them; right are others, such as {FRESH}"
        )


def plan_tags(keys: Sequence[str], seeds: Collection[int]) -> dict[str, str]:
    """What is noted on the sweep before its first job: its seeds, and what is tuned, as JSON."""
    return {"planned.seeds": json.dumps(sorted(seeds)), "tuning.keys": json.dumps(list(keys))}


def named(seeds: Collection[int]) -> str:
    """Seeds in words, ranges in short: ``0-4, 7``."""
    parts: list[list[int]] = []
    for seed in sorted(seeds):
        if parts and seed == parts[-1][-1] + 1:
            parts[-1].append(seed)
        else:
            parts.append([seed])
    return ", ".join(f"{part[0]}-{part[-1]}" if part[1:] else f"{part[0]}" for part in parts)


def plan_in_words(
    varied: Mapping[str, int],
    jobs: int,
    references: int,
    seconds: float,
    cores: int,
    *,
    rows: str = "none",
) -> str:
    """``7 losses x 5 learning rates x 10 seeds = 350 runs, about 3 min on 2 cores``.

    Args:
        varied: how many values each key has that has several, among the jobs of networks.
        jobs: how many there are.
        references: how many of them fit an estimator.
        seconds: of processor that they take; 0 where it is not known.
        cores: that they are divided among.
        rows: the choice of ``references``.
    """
    names = {
        "loss": "losses",
        "sampling": "samplings",
        "training.learning_rate": "learning rates",
        "seed": "seeds",
        "data.name": "data sets",
        "data.id": "data sets",
    }
    order = sorted(varied, key=lambda key: (key == "seed", key != "loss"))
    parts = [f"{varied[key]} {names.get(key, f'values of {key}')}" for key in order]
    networks = jobs - references
    if math.prod(varied.values()) == networks:
        whole = f"{' x '.join(parts)} = {networks} runs" if parts else f"{networks} run"
    else:  # not every combination
        whole = f"{', '.join(parts)}: {networks} runs"
    whole += f", and {references} runs of estimators for scale" if references else ""
    if not seconds:
        return whole
    time = START_UP + seconds / cores
    said = f"{whole}, about {duration(time)} on {cores} core{'s' if cores > 1 else ''}"
    return f"{said}; {_less(varied, rows)}" if time > LONG else said


def _less(varied: Mapping[str, int], rows: str) -> str:
    """What would make a long plan shorter."""
    for key in ("data.name", "data.id"):
        if key in varied:
            return f"some of the sets take less: {key}=ONE,TWO"
    less = [] if rows in QUICK else ["references=quick"]
    less += ["loss=ce,focal"] if varied.get("loss", 0) > FEW_LOSSES else []
    return f"{' or '.join(less)} takes less" if less else "fewer seeds take less"


def duration(seconds: float) -> str:
    """A time for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def has_key(config: Mapping[str, Any], key: str) -> bool:
    """Whether a config has a key, whatever its value."""
    node: Any = config
    for name in key.split("."):
        if not isinstance(node, Mapping) or name not in node:
            return False
        node = node[name]
    return True
