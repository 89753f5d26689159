"""Puts the model of a run into MLflow's model registry, under a name and an alias.

python -m src.promote RUN_ID --name NAME --alias champion
"""

import argparse
import shlex
from collections.abc import Sequence

from src.entry import guarded
from src.saved_model.decisions import DECISIONS, TUNED
from src.tracking.address import add_store, usual_root

SCORES = {
    "test_f1_macro": "at argmax",
    "test_tuned_f1_macro": "with tuned thresholds",
    "test_prior_f1_macro": "by prior",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Promotes a run's model, says what it did and what can be typed next."""
    options = _parser().parse_args(arguments)
    from src.serving.registry import promote
    from src.tracking.store import Store

    store = Store.at(options.root, options.uri)
    name, alias = options.name, options.alias
    with store.needed():
        done = promote(store, options.run_id, name, alias, options.decision)
    state = "registered as" if done.is_new else "was registered before as"
    print(f"{done.run.info.run_name}: {state} version {done.version} of {name}")
    if done.before == done.version:
        print(f"{name}@{alias} stood for it already")
    else:
        before = f" (version {done.before} before)" if done.before else ""
        print(f"{name}@{alias} now stands for version {done.version}{before}")
    metrics = done.run.data.metrics
    scores = ", ".join(f"{metrics[key]:.4f} {how}" for key, how in SCORES.items() if key in metrics)
    print(
        f"Test macro F1 {scores}; it decides by {options.decision} unless asked otherwise. Its "
        "description is the model card"
    )
    where = f" --root {shlex.quote(options.root)}" if options.root != usual_root() else ""
    where += f" --uri {shlex.quote(options.uri)}" if options.uri else ""
    print("Next:")
    model = shlex.quote(f"{name}@{alias}")
    rows = "FOLDER" if done.of_pictures else "rows.csv"
    print(f"  python -m src.predict --model {model} {rows} -o out.csv{where}")
    print(
        f"  make serve {shlex.quote(f'NAME={name}')}"
        + ("" if alias == "champion" else f" ALIAS={alias}")
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m src.promote",
        description="Put the model of a finished run into MLflow's model registry.",
        epilog="The same run promoted again makes no second version; the alias moves. "
        "Exit status: 0 done, 2 cannot be done.",
    )
    add = parser.add_argument
    add("run_id", metavar="RUN_ID", help="a finished run, as the MLflow UI shows its id")
    add("--name", required=True, help="of the registered model, such as fraud")
    add("--alias", default="champion", help="that stands for this version (default: champion)")
    add(
        "--decision",
        choices=DECISIONS,
        default=TUNED,
        help="what it decides by unless asked otherwise: tuned on validation, argmax, or prior, "
        "argmax less the logarithm of the classes' shares (tuned)",
    )
    add_store(add)
    return parser


if __name__ == "__main__":
    raise SystemExit(guarded(main))
