"""What several folders share: the composed config, commands in child processes, and one sweep."""

import gc
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from src.config.register import register
from src.entry import QUIET
from tests.reliability.children import Forks
from tests.several_commands import COMMANDS, OUTCOMES

ROOT = Path(__file__).resolve().parents[1]
SEVERAL = ROOT / "tests" / "several_commands.py"
FROM_OUTSIDE = ("MLFLOW_TRACKING_URI", "HYDRA_FULL_ERROR", "PYTHONPATH")
"""Variables of the caller that would change what a command does."""

for _name, _value in QUIET.items():
    os.environ.setdefault(_name, _value)
for _name in FROM_OUTSIDE:
    os.environ.pop(_name, None)
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's `&` turns off


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow files first, so that no worker is left alone with one of them in the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish(session: pytest.Session) -> None:
    """One thread in an operation, as training asks for, before the first operation fixes it.

    What collecting has loaded stays loaded, so looking for garbage in it is of no use.
    """
    trains = any("run_here" in getattr(item, "fixturenames", ()) for item in session.items)
    if trains or "tensorflow" in sys.modules:
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    gc.freeze()


@dataclass(frozen=True)
class Outcome:
    """How a command ended: exit status, output, wall time, heavy libraries loaded after it."""

    status: int
    out: str
    err: str
    seconds: float
    loaded: tuple[str, ...] = ()


Command = tuple[Sequence[str], Path]


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """Starts `train.py` in forks of a process that has TensorFlow loaded."""
    with Forks() as started:
        yield started


@pytest.fixture(scope="session")
def train_several() -> Callable[[Sequence[Command], Path], list[Outcome]]:
    """Runs several ``python train.py``, one after another, in one child; it imports from FOLDER."""

    def run(commands: Sequence[Command], folder: Path) -> list[Outcome]:
        _write_commands(commands, folder)
        done = subprocess.run(
            [sys.executable, SEVERAL, folder],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return _read_outcomes(folder)

    return run


@pytest.fixture(scope="session")
def train_forked(forks: Forks) -> Callable[[Sequence[Command], Path], list[Outcome]]:
    """The same in a fork that has TensorFlow already: for commands that train anyway."""

    def run(commands: Sequence[Command], folder: Path) -> list[Outcome]:
        _write_commands(commands, folder)
        assert forks.start([folder], folder, SEVERAL).wait() == 0
        return _read_outcomes(folder)

    return run


@pytest.fixture(scope="session")
def train(
    train_forked: Callable[[Sequence[Command], Path], list[Outcome]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Sequence[str], Path], Outcome]:
    """Runs ``python train.py ARGUMENTS`` in such a fork, in a folder of its own."""

    def run(arguments: Sequence[str], cwd: Path) -> Outcome:
        (outcome,) = train_forked([(arguments, cwd)], tmp_path_factory.mktemp("typed"))
        return outcome

    return run


def _write_commands(commands: Sequence[Command], folder: Path) -> None:
    words = [{"arguments": list(arguments), "cwd": str(cwd)} for arguments, cwd in commands]
    (folder / COMMANDS).write_text(json.dumps(words))


def _read_outcomes(folder: Path) -> list[Outcome]:
    outcomes = json.loads((folder / OUTCOMES).read_text())
    return [Outcome(**content | {"loaded": tuple(content["loaded"])}) for content in outcomes]


@pytest.fixture(scope="session")
def composer() -> Callable[..., DictConfig]:
    """Composes the config of ``python train.py OVERRIDES``."""
    register()

    def composed(*overrides: str, **options: Any) -> DictConfig:
        with initialize_config_dir(version_base="1.3", config_dir=str(ROOT / "conf")):
            return compose("config", list(overrides), **options)

    return composed


@pytest.fixture(scope="session")
def resolved(composer: Callable[..., DictConfig]) -> Callable[..., dict[str, Any]]:
    """The same, resolved, as the plain dict that training takes."""

    def plain(*overrides: str) -> dict[str, Any]:
        config: dict[str, Any] = OmegaConf.to_container(composer(*overrides), resolve=True)
        return config

    return plain


@pytest.fixture(scope="session")
def run_here(composer: Callable[..., DictConfig]) -> Callable[..., float]:
    """Runs the job of ``python train.py OVERRIDES`` in this process, into a folder."""

    def run(folder: Path, *overrides: str) -> float:
        from src.jobs.job import run_job

        words = (*overrides, f"hydra.runtime.output_dir={folder}", "training.progress=false")
        cfg = composer(*words, return_hydra_config=True)
        HydraConfig.instance().set_config(cfg)
        with read_write(cfg), open_dict(cfg):
            del cfg["hydra"]
        folder.mkdir(parents=True, exist_ok=True)
        return run_job(cfg)

    return run


@dataclass(frozen=True)
class Sweep:
    """The sweep of the README on tiny data, done once for all tests."""

    cwd: Path
    arguments: tuple[str, ...]
    outcome: Outcome

    @property
    def folder(self) -> Path:
        """Of its output."""
        first: Path = min(self.cwd.glob("multirun/*/*"))
        return first

    @property
    def trained(self) -> list[Path]:
        """Folders of the jobs that were trained, by number."""
        return sorted(file.parent for file in self.folder.glob("*/run.json"))

    @property
    def tracking(self) -> dict[str, Any]:
        """The ``tracking`` node, with the store's absolute place."""
        root = str(self.cwd / "mlruns")
        names = {"experiment": "imbalance-lab", "log_model": True, "plots": True}
        return {"enabled": True, "root": root, "uri": None, **names}


TINY = (
    "data.n_samples=600",
    "data.minority_fraction=0.2",
    "training.epochs=4",
    "training.learning_rate=0.01",
)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], None]:
    """Puts an MLflow store without runs into a folder; its tables, made once, take seconds."""
    from mlflow.tracking import MlflowClient

    made = tmp_path_factory.mktemp("empty") / "mlflow.db"
    MlflowClient(f"sqlite:///{made}").search_experiments(max_results=1)

    def put(root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made, root / made.name)

    return put


@pytest.fixture(scope="session")
def sweep(
    train: Callable[[Sequence[str], Path], Outcome],
    empty_store: Callable[[Path], None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Sweep:
    """``python train.py -m loss=ce,focal loss.gamma=0,1,2`` on tiny data."""
    cwd = tmp_path_factory.mktemp("sweep")
    empty_store(cwd / "mlruns")
    arguments = ("-m", "loss=ce,focal", "loss.gamma=0,1,2", *TINY)
    return Sweep(cwd, arguments, train(arguments, cwd))


@pytest.fixture(scope="session")
def tiny() -> tuple[str, ...]:
    """The overrides of the sweep's data and training."""
    return TINY


@pytest.fixture(scope="session")
def client(sweep):
    """Reads the sweep's store."""
    from mlflow.tracking import MlflowClient

    return MlflowClient(f"sqlite:///{sweep.cwd}/mlruns/mlflow.db")


@pytest.fixture(scope="session")
def parent(client):
    """The sweep's own run."""
    (experiment,) = client.search_experiments(filter_string="name = 'imbalance-lab'")
    (run,) = client.search_runs([experiment.experiment_id], "tags.`sweep.command` LIKE '%'")
    return run


@pytest.fixture(scope="session")
def children(client, parent):
    """The runs of its jobs, by loss label."""
    condition = f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'"
    runs = client.search_runs([parent.info.experiment_id], condition)
    return {run.data.tags["loss.label"]: run for run in runs}


@pytest.fixture(scope="session")
def in_use(
    tmp_path_factory: pytest.TempPathFactory,
    run_here: Callable[..., float],
    empty_store: Callable[[Path], None],
) -> Any:
    """A run on a table with a loss and a layer of one's own, in a store of its own."""
    from tests.in_use import trained

    base = tmp_path_factory.mktemp("in_use")
    empty_store(base / "mlruns")
    return trained(base, run_here)
