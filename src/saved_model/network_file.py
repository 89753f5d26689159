"""Loads a network from its file in safe mode, with modules of one's own that it is made of."""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path
from typing import Any

from src.errors import naming


def load_weights(network: Any, file: Path) -> None:
    """Gives a network the weights of a file.

    Raises:
        UserError: where they are missing, damaged, or another network's.
    """
    with naming(file, "no weights can be loaded from it"):
        network.load_weights(file)


def load_network(
    file: Path, custom_objects: dict[str, Any] | None = None, *, called: str | None = None
) -> Any:
    """Loads a `.keras` file in safe mode, without its loss and optimizer.

    An error calls it by its path, or as CALLED says.

    Raises:
        UserError: where it cannot be loaded.
    """
    import keras

    import src.components  # noqa: F401  registers the custom objects

    with naming(called or file, "no model can be loaded from it"):
        return keras.saving.load_model(
            file, custom_objects=custom_objects, compile=False, safe_mode=True
        )


def own_objects(modules: tuple[str, ...], folder: Path) -> dict[str, Any]:
    """The classes and functions of modules of one's own, by name, for Keras to look up.

    Args:
        modules: dotted names; those that they import from the folder count too.
        folder: where their files lie, as they were when the model was trained.

    Raises:
        UserError: where one cannot be imported.
    """
    if not modules:
        return {}
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    for name in modules:
        with naming(folder, f"the model's own module {name} cannot be imported"):
            importlib.import_module(name)
    files = (file.relative_to(folder).with_suffix("") for file in folder.rglob("*.py"))
    names = {".".join(file.parts).removesuffix(".__init__") for file in files}
    # the project's own classes are registered with Keras
    others = {name for name in names & {*sys.modules} if name.partition(".")[0] != "src"}
    return {
        key: value
        for name in sorted({*modules} | others)
        for key, value in vars(sys.modules[name]).items()
        if (inspect.isclass(value) or inspect.isfunction(value)) and value.__module__ == name
    }
