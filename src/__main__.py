"""Every command by its short name, from any folder: ``imbalance-lab COMMAND ...``.

``make setup`` puts it into ``.venv/bin``; ``python -m src COMMAND ...`` is the same.
"""

import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = {
    "train": "one run, or a sweep with -m: does focal loss help, by how much, how sure is that",
    "compare": "the last sweep, or other runs: table, verdict and report",
    "ui": "MLflow on this machine",
    "promote": "a run's model under a name",
    "predict": "a file of rows, by such a model",
    "serve": "such a model on this machine, over HTTP",
    "reproduce": "a recorded run, trained again and compared bit for bit",
    "forecast": "how long a sweep will take",
    "advise": "what to expect on a table, before anything is trained",
    "check": "losses, metrics, layers and models of your own",
    "fetch": "a collection of data sets",
    "study": "the evidence over many data sets",
    "atlas": "where focal loss helps",
}


def main(words: Sequence[str]) -> int:
    """Runs a command as if its file was run; without one, lists them.

    Returns:
        0, or 2 where there is no such command; a command that runs ends the process itself.
    """
    if words and words[0] in COMMANDS:
        name, *rest = words
        file = ROOT / "train.py" if name == "train" else ROOT / "src" / f"{name}.py"
        sys.path[0], sys.argv = str(ROOT), [str(file), *rest]
        runpy.run_path(str(file), run_name="__main__")
        return 0
    lines = [f"  {name:<10} {said}" for name, said in COMMANDS.items()]
    usage = "\n".join(["imbalance-lab COMMAND ...; each has --help", *lines])
    if not words or words[0] in {"-h", "--help"}:
        print(usage)
        return 0
    print(f"Error: {words[0]}: no such command\n{usage}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
