"""Numbers as text, alike in every table."""

import math

from src.analysis.statistics.comparison import Comparison
from src.analysis.statistics.losses import LossSummary

HOW = {
    "argmax": "by argmax",
    "tuned": "by thresholds tuned on the validation split",
    "prior": "by logits less the log-prior",
}

BESIDE = {
    "pooled_f1_macro": ("pooled F1", "pooled macro F1"),
    "rarest_class_f1": ("rare F1", "F1 of {rare}"),
    "rarest_class_recall": ("recall", "its recall"),
    "rarest_class_average_precision": ("rare AP", "its AP"),
    "test_average_precision": ("AP", "AP"),
    "test_ece": ("ECE", "ECE"),
    "test_brier": ("Brier", "Brier"),
    "test_log_loss": ("log loss", "log loss"),
    "seconds_fit": ("train s", "training (s)"),
}
"""The scores of a loss beside its macro F1, as the terminal and as the report name them."""


def mean_and_sd(summary: LossSummary, metric: str) -> str:
    """Mean, and standard deviation where there is one: ``0.7130 ± 0.0150``."""
    if metric not in summary.means:
        return ""
    spread = f" ± {summary.spreads[metric]:.4f}" if metric in summary.spreads else ""
    return f"{summary.means[metric]:.4f}{spread}"


def number(value: float | None, form: str = ".4f") -> str:
    """A number, or nothing where there is none."""
    return "" if value is None or math.isnan(value) else format(value, form)


def score_beside(loss: LossSummary, decision: str, name: str, digits: int) -> str:
    """One of ``BESIDE``; seconds with one digit."""
    digits = 1 if name == "seconds_fit" else digits
    return number(loss.scores(decision)[name], f".{digits}f")


def p_value(p: float) -> str:
    """Two digits that matter; below 0.001 only that."""
    return "<0.001" if p < 0.001 else f"{p:.2g}"


def bounds(found: Comparison) -> str:
    """The interval, or a dash where it has no ends."""
    return f"[{found.low:+.2f}, {found.high:+.2f}]" if found.has_interval else "-"


def difference(found: Comparison | None, between: str = " ") -> str:
    """Mean and, where it has ends, interval in few characters, with whole numbers from 10 on."""
    if found is None:
        return ""
    ends = (round(end, 0 if abs(end) >= 10 else 1) + 0.0 for end in (found.low, found.high))
    short = ", ".join(f"{end:.0f}" if abs(end) >= 10 else f"{end:.1f}" for end in ends)
    interval = f"[{short}]" if found.has_interval else ""
    return f"{found.mean:+.1f}{between}{interval}".rstrip()
