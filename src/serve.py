"""Answers requests with a saved model: MLflow's scoring server on this machine's own address.

python -m src.serve --model NAME@champion --port 5001
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from src.entry import guarded
from src.errors import UserError
from src.serving.port import HOST, check_port
from src.tracking.address import add_store

PORT = 5001


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until Ctrl-C stops it."""
    options = _parser().parse_args(arguments)
    from src.serving.find import find_model

    wanted = options.model or only_champion(options.root, options.uri)
    model = find_model(wanted, options.root, options.uri, trust_code=options.trust_code)
    if not (model.path / "MLmodel").is_file():
        raise UserError(
            f"--model {wanted}: {model.path} is no logged model, and no other can be served; right "
            "are NAME@ALIAS, a run id, or the folder of a logged model"
        )
    if options.workers < 1:
        raise UserError(f"--workers {options.workers}: must be at least 1")
    check_port(options.port, "serve")
    print(f"Serving {model.title} on http://{HOST}:{options.port} (Ctrl-C stops it)")
    print(f"  {_curl(model.path, options.port)}", flush=True)
    from src.serving.server import serve

    serve(model, HOST, options.port, options.workers)
    print("Stopped.", file=sys.stderr)
    return 0


def only_champion(root: str, uri: str | None) -> str:
    """The one registered model with the alias `champion`.

    Raises:
        UserError: where there is none, or more than one.
    """
    from src.serving.registry import registered
    from src.tracking.store import Store

    store = Store.at(root, uri)
    with store.needed():
        found = [model for model in registered(store) if model.endswith("@champion")]
    if len(found) != 1:
        listed = f"there are {', '.join(found)}" if found else "there is none"
        raise UserError(
            f"--model: is needed unless there is one champion, and {listed}; right is NAME@ALIAS "
            "(make serve NAME=...). `python -m src.promote RUN_ID --name NAME` makes one"
        )
    return found[0]


def _curl(folder: Path, port: int) -> str:
    """A request that can be pasted into a terminal."""
    file = folder / "serving_input_example.json"
    body = file.read_text(encoding="utf-8") if file.is_file() else "{}"
    shown = json.dumps(json.loads(body)).replace("'", "'\\''")
    if len(shown) > 2000:
        shown = f"@{file}"
    return (
        f"curl -s http://{HOST}:{port}/invocations -H 'Content-Type: application/json' -d '{shown}'"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m src.serve",
        description="Answer requests with a saved model, as MLflow's scoring server does, on this "
        "machine alone.",
        epilog="docs/serving.md says what a request may be and what is answered.",
    )
    add = parser.add_argument
    add("--model", help="NAME@ALIAS, a run id or a logged model's folder (the only champion)")
    add("--port", type=int, default=PORT, help=f"on {HOST} (default: {PORT})")
    add("--workers", type=int, default=1, help="processes, each with the model (default: 1)")
    add(
        "--trust-code",
        action="store_true",
        help="run the code of its own that a model's folder brings",
    )
    add_store(add)
    return parser


if __name__ == "__main__":
    raise SystemExit(guarded(main))
