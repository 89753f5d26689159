"""Which experiment a run is: a hash over all that matters to its results, and over nothing else.

Two configs with the same identity give the same numbers, so the second need not be trained. The
loss counts by its ``fn`` node alone: a knob that ``fn`` does not use makes no new experiment.
"""

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.config.data_schema import TableSplitConfig
from src.config.estimator_schema import NONE
from src.runs.source_closure import module_file, module_of, normalized_source, source_closure

if TYPE_CHECKING:
    from src.data.dataset import Dataset

PROJECT = Path(__file__).resolve().parents[2]
NUMERIC_LIBRARIES = ("tensorflow", "keras", "numpy")
"""Libraries whose version may change a training's numbers."""
REFERENCE_LIBRARIES = ("scikit-learn", "imbalanced-learn", "numpy", "scipy")
"""The same where an estimator is fitted."""
TRAINING_FOLDERS = ("compat", "components", "engine", "evaluation")
"""Folders of ``src`` whose code makes the numbers of a run."""
REFERENCE_FOLDERS = ("references", "evaluation")
"""The same where an estimator is fitted."""
SAMPLING, SAMPLING_LIBRARIES = "src.engine.sampling", ("scikit-learn", "imbalanced-learn")
"""The module and libraries that make other training rows, where these are sampled."""
SEED_KEYS = ("seed",)
IDLE_DATA_KEYS = ("seed", "memory_share", "cache")
USUAL_SPLIT = {one.name: one.default for one in fields(TableSplitConfig)}
"""Keys of a random split, which say no more than an older config without them."""
IDLE_TRAINING_KEYS = ("progress", "tensorboard", "learning_rate")
"""Training keys that change no result: the learning rate counts where the optimizer uses it."""


def run_identity(config: Mapping[str, Any], dataset: "Dataset") -> str:
    """The identity of a run, SHA-256, 64 hex digits, from its resolved config.

    The data set's fingerprint stands for the whole ``data`` node.
    """
    return digest_of({"data": dataset.fingerprint, **_parts(config)})


def config_identity(config: Mapping[str, Any]) -> str:
    """The same before its data is loaded: the ``data`` node stands for the data."""
    return digest_of({"data": config["data"], **_parts(config)})


def setting_identity(config: Mapping[str, Any]) -> str:
    """SHA-256 over what runs that may be compared share: everything but the loss and the seeds."""
    training = {key: value for key, value in _training(config).items() if key not in SEED_KEYS}
    data = {
        key: value
        for key, value in config["data"].items()
        if key not in IDLE_DATA_KEYS and USUAL_SPLIT.get(key, ...) != value
    }
    return digest_of({"data": data, "model": _unnamed(config["model"]), "training": training})


def is_reference(config: Mapping[str, Any]) -> bool:
    """Whether a run fits an estimator, in which loss, model and training keys have no part.

    Records of earlier versions have no ``estimator``.
    """
    return bool(config.get("estimator", {}).get("name", NONE) != NONE)


def sampling_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """How the training rows are sampled; empty where they are not, and in early records."""
    return _unnamed(config.get("sampling", {}))


def code_of(config: Mapping[str, Any]) -> str:
    """SHA-256 over the code that a config's run comes out of; a comment changes nothing."""
    if not is_reference(config):
        return _code_digest(tuple(target_modules(config).items()), TRAINING_FOLDERS)
    sampling = sampling_of(config)
    modules = target_modules({"sampling": sampling})
    if sampling:
        modules[SAMPLING] = PROJECT / f"{SAMPLING.replace('.', '/')}.py"
    return _code_digest(tuple(modules.items()), REFERENCE_FOLDERS)


def target_modules(config: Mapping[str, Any]) -> dict[str, Path]:
    """The modules that a config instantiates from: the file of each, by its dotted name, sorted.

    Not those of installed packages, whose versions count, or of the data, whose fingerprint does.
    """
    found = {
        target
        for key, target in targets(config)
        if isinstance(target, str) and not key.startswith("data.")
    }
    return dict(_modules_of(frozenset(found), tuple(sys.path)))


@cache
def _modules_of(found: frozenset[str], path: tuple[str, ...]) -> tuple[tuple[str, Path], ...]:
    """The same for targets, on a path of imports; looked for once in a process."""
    names = sorted(filter(None, map(module_of, found)))
    return tuple((name, file) for name in dict.fromkeys(names) if (file := module_file(name)))


def targets(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Each ``_target_`` of a config, and each ``path``, which ``hydra.utils.get_*`` imports.

    Args:
        node: the config, or a part of it.
        key: dotted path of the part.

    Yields:
        The dotted path, and the value as it stands.
    """
    if isinstance(node, list):
        node = dict(enumerate(node))
    for name, value in node.items() if isinstance(node, Mapping) else ():
        path = f"{key}.{name}" if key else str(name)
        if name in {"_target_", "path"}:
            yield path, value
        yield from targets(value, path)


def library_versions(config: Mapping[str, Any]) -> dict[str, str]:
    """Installed versions of the libraries that change a config's numbers."""
    names = REFERENCE_LIBRARIES if is_reference(config) else NUMERIC_LIBRARIES
    more = SAMPLING_LIBRARIES if "_target_" in sampling_of(config) else ()
    return _versions(tuple(dict.fromkeys(names + more)))


@cache
def _versions(names: tuple[str, ...]) -> dict[str, str]:
    from importlib.metadata import version  # not before a sweep's jobs are known to be right

    return {name: version(name) for name in names}


@cache
def git_state() -> tuple[str | None, bool]:
    """Commit of the project's checkout, or None outside one, and whether files differ from it."""
    commit = _git("rev-parse", "HEAD")
    return commit, bool(commit and _git("status", "--porcelain", "--untracked-files=no"))


@cache
def _code_digest(modules: tuple[tuple[str, Path], ...], folders: tuple[str, ...]) -> str:
    """SHA-256 over folders of ``src``, and over modules, files by name, with all that they import.

    Read once in a process, which goes on with the code that it began with.
    """
    files = source_closure(name for name, _ in modules)
    for room in folders:
        for file in (PROJECT / "src" / room).rglob("*.py"):
            name = ".".join(file.relative_to(PROJECT).with_suffix("").parts)
            files[name.removesuffix(".__init__")] = file
    digest = hashlib.sha256()
    for name, file in sorted(files.items()):
        digest.update(f"{name}\0{normalized_source(file)}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _parts(config: Mapping[str, Any]) -> dict[str, Any]:
    """All that makes a run what it is, but for its data."""
    parts = {"versions": library_versions(config), "code": code_of(config)}
    if sampling_of(config):
        parts["sampling"] = sampling_of(config)
    if is_reference(config):
        return parts | {"estimator": config["estimator"], "seed": config["training"]["seed"]}
    return parts | {
        "loss": config["loss"]["fn"],
        "model": _unnamed(config["model"]),
        "metric": config["metric"]["metrics"],
        "training": _training(config),
    }


def _training(config: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in config["training"].items() if k not in IDLE_TRAINING_KEYS}


def _unnamed(node: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key != "name"}


def digest_of(payload: Mapping[str, Any]) -> str:
    """SHA-256, 64 hex digits, over a payload as JSON with its keys sorted."""
    text = json.dumps(_numbers_alike(payload), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _numbers_alike(node: Any) -> Any:
    """Whole floats as integers, so that ``gamma=2`` and ``gamma=2.0`` are one experiment."""
    if isinstance(node, Mapping):
        return {str(key): _numbers_alike(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_numbers_alike(value) for value in node]
    if isinstance(node, float) and node.is_integer():
        return int(node)
    return node


def _git(*words: str) -> str | None:
    import subprocess

    try:
        done = subprocess.run(
            ["git", *words], cwd=PROJECT, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
