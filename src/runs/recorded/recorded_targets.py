"""Which names in a record may be built: a record is data, and no licence to run what it names."""

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any

from src.errors import UserError
from src.runs.identity import targets
from src.runs.source_closure import imported_from, module_file, module_of

OF_KERAS = re.compile(
    r"keras\.(losses|metrics|optimizers|optimizers\.schedules|initializers|regularizers"
    r"|constraints)\.(?!(get|deserialize)$)\w+"
)
SAMPLERS = re.compile(r"imblearn\.(over_sampling|under_sampling|combine)\.\w+")
OF_THE_PROJECT = ("src.components.", "src.data.")
RIGHT = (
    "right are src.components, src.data, losses, metrics and optimizers of Keras, samplers of "
    "imbalanced-learn, and modules of "
    "your own outside installed packages; --trust NAME allows all of NAME"
)


def check_targets(config: Mapping[str, Any], trusted: Sequence[str] = ()) -> tuple[str, ...]:
    """Looks at every ``_target_`` of a recorded config; nothing is imported.

    Args:
        config: as recorded.
        trusted: packages, modules or objects that the user allows beside the others.

    Returns:
        The user's own modules among them.

    Raises:
        UserError: for the first one that may not be built.
    """
    modules = set()
    for key, target in targets(config):
        if not key.endswith("_target_"):
            continue
        if key.startswith("data.") and key != "data._target_":
            raise UserError(
                f"{key}={target}: is not built; right for recorded data are values alone"
            )
        if not isinstance(target, str) or not _is_allowed(target, trusted):
            raise UserError(f"{key}={target}: is not built from a record; {RIGHT}")
        module = module_of(target)
        if module and not target.startswith("src."):
            modules.add(module)
    return tuple(sorted(modules))


def _is_allowed(target: str, trusted: Sequence[str]) -> bool:
    if any(target == name or target.startswith(f"{name}.") for name in trusted):
        return True
    if target.startswith("src.") and not target.startswith(OF_THE_PROJECT):
        return False
    return any(kind.fullmatch(target) for kind in (OF_KERAS, SAMPLERS)) or _is_defined(target)


def _is_defined(target: str) -> bool:
    """Whether a module outside installed packages defines the name, or re-exports an allowed one.

    What else it has imported is not its own: ``mine.pd.read_pickle`` is pandas's.
    """
    module, _, name = target.rpartition(".")
    file = module_file(module) if module else None
    if file is None:
        return False
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.parse(file.read_bytes()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return True
        if isinstance(node, ast.Assign) and name in map(ast.unparse, node.targets):
            return True
        if isinstance(node, ast.ImportFrom):
            source = imported_from(node, package)
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return _is_allowed(f"{source}.{alias.name}", ())
    return False
