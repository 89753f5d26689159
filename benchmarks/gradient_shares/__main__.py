"""Shows whose gradient trains the model, epoch by epoch: easy majority, hard majority, minority.

    python -m benchmarks.gradient_shares [--loss ce focal ...] [OVERRIDE ...]

Each loss is trained once on the training split; nothing is recorded.
"""

import argparse
from collections.abc import Sequence

from src.entry import guarded


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains with each loss and prints the shares as a Markdown table.

    Args:
        arguments: of the command line; None takes the process's own.
    """
    options = _parser().parse_args(arguments)
    from src.config.compose import composed
    from src.engine.build import load_dataset
    from src.engine.sizing import sized
    from src.runs.import_tensorflow import import_tensorflow

    configs = [composed([*options.override, f"loss={name}"]) for name in options.loss]
    dataset = load_dataset(configs[0]["data"])
    import_tensorflow()
    from benchmarks.gradient_shares.shares import measure, table

    losses = {config["loss"]["name"]: config["loss"] for config in configs}
    config = sized(configs[0], dataset)
    found, rows = measure(config, losses, dataset)
    last = config["training"]["epochs"]
    print(table(found, rows, [*(epoch for epoch in options.epochs if epoch < last), last]))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gradient_shares",
        description="Show whose gradient trains the model, epoch by epoch: the majority rows that "
        "cross-entropy finds easy, the hard ones, or the minority.",
    )
    add = parser.add_argument
    names, epochs = ["ce", "focal"], [0, 1, 2, 5, 10, 20, 40]
    add("override", nargs="*", help="as for train.py: data=digits training.epochs=40 ...")
    add("--loss", nargs="+", default=names, metavar="NAME", help="the first says what is easy")
    add("--epochs", nargs="+", type=int, default=epochs, help="to show, beside the last one")
    return parser


if __name__ == "__main__":
    raise SystemExit(guarded(main))
