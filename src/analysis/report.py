"""Shows a comparison: on the terminal, as JSON, and as one HTML file that needs nothing else."""

import dataclasses
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, select_autoescape
from rich.console import Console
from rich.table import Table

from src.analysis.paired import Comparison
from src.analysis.runs import Sweep

HTML = "report.html"
JSON = "comparison.json"


def print_comparisons(comparisons: Sequence[Comparison]) -> None:
    """Prints the paired table, then one sentence a comparison.

    Args:
        comparisons: as :func:`src.analysis.paired.compare` gives them.
    """
    for setting in dict.fromkeys(found.setting for found in comparisons):
        group = [found for found in comparisons if found.setting == setting]
        table = Table(
            title=f"{group[0].place}: test macro F1, paired by seed", title_justify="left"
        )
        table.add_column("loss", overflow="fold")
        for name in ("mean", "sd", "difference (pp)", "95 % CI", "seeds", "win/tie/loss", ""):
            table.add_column(name, justify="right", no_wrap=True)
        base = group[0]
        table.add_row(base.baseline, *_mean_and_sd(base.baseline_scores), "baseline")
        for found in group:
            table.add_row(
                found.label,
                *_mean_and_sd(found.scores),
                f"{found.mean:+.2f}",
                f"[{found.low:.2f}, {found.high:.2f}]",
                str(len(found.seeds)),
                "/".join(str(count) for count in found.wins_ties_losses),
                found.verdict,
            )
        console = Console()
        (console if console.is_terminal else Console(width=130)).print(table)
        for found in group:
            print(f"{found.place}: {found.sentence}")
            if found.unpaired:
                seeds = ", ".join(str(seed) for seed in found.unpaired)
                print(f"  without a pair, left out: seeds {seeds}")
    print()


def write_json(file: Path, sweep: Sweep, comparisons: Sequence[Comparison]) -> None:
    """Writes everything that the table shows, and the scores of each seed.

    Args:
        file: where to.
        sweep: where the runs come from.
        comparisons: as :func:`src.analysis.paired.compare` gives them.
    """
    content = {
        "sweep": sweep.run_id,
        "command": sweep.command,
        "unfinished": sweep.unfinished,
        "comparisons": [_as_dict(found) for found in comparisons],
    }
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    file.write_text(text, encoding="utf-8")


def write_html(file: Path, sweep: Sweep, comparisons: Sequence[Comparison]) -> None:
    """Writes the report: the sentence first, then the differences by seed and the numbers.

    Args:
        file: where to.
        sweep: where the runs come from.
        comparisons: as :func:`src.analysis.paired.compare` gives them.
    """
    environment = Environment(
        loader=PackageLoader("src.analysis"), autoescape=select_autoescape(default=True)
    )
    page = environment.get_template("report.html.j2").render(
        sweep=sweep,
        comparisons=comparisons,
        plot=_differences_svg(comparisons),
        mean_and_sd=_mean_and_sd,
    )
    file.write_text(page, encoding="utf-8")


def _as_dict(found: Comparison) -> dict[str, Any]:
    numbers = dataclasses.asdict(found) | {
        "differences_pp": found.differences,
        "mean_difference_pp": found.mean,
        "wins_ties_losses": found.wins_ties_losses,
        "verdict": found.verdict,
        "sentence": found.sentence,
    }
    for end in ("low", "high"):
        numbers[f"ci_{end}_pp"] = numbers[end] if np.isfinite(numbers[end]) else None
        del numbers[end]
    return numbers


def _mean_and_sd(scores: Sequence[float]) -> tuple[str, str]:
    spread = f"{np.std(scores, ddof=1):.4f}" if len(scores) > 1 else ""
    return f"{np.mean(scores):.4f}", spread


def _differences_svg(comparisons: Sequence[Comparison]) -> str:
    """One dot a seed, the mean with its interval above them, zero and the threshold marked."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 1.2 + 0.75 * len(comparisons)), layout="constrained")
    axes = figure.add_subplot()
    for row, found in enumerate(comparisons):
        height = len(comparisons) - row
        axes.plot(found.differences, [height - 0.18] * len(found.seeds), "o", color="#0072B2", ms=4)
        if len(found.seeds) > 1:
            axes.plot([found.low, found.high], [height + 0.12] * 2, color="#D55E00", lw=3)
        axes.plot([found.mean], [height + 0.12], "D", color="#D55E00", ms=6)
    axes.axvline(0, color="0.3", lw=1)
    axes.axvline(comparisons[0].threshold, color="0.5", lw=1, ls=":")
    names = [f"{found.label}\n{found.place}" for found in comparisons]
    axes.set_yticks(range(len(comparisons), 0, -1), names)
    axes.set_ylim(0.4, len(comparisons) + 0.6)
    axes.set_xlabel("difference to the baseline in test macro F1, percentage points")
    axes.grid(axis="x", alpha=0.25)
    stream = io.StringIO()
    with rc_context({"svg.hashsalt": "report"}):
        FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]
