"""The lesson's notebook, executed once for all tests, from top to bottom in one kernel."""

import json
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "notebook.ipynb"


@dataclass(frozen=True)
class Executed:
    """The notebook after its run, its kernel still there to be asked."""

    notebook: NotebookNode
    run: Callable[[str], str]

    def ask(self, expression: str) -> Any:
        """The value of an expression in the notebook's kernel."""
        return json.loads(self.run(f"import json as _json\nprint(_json.dumps({expression}))"))

    def cell(self, name: str) -> NotebookNode:
        """The cell with that id."""
        return next(cell for cell in self.notebook.cells if cell.id == name)

    def printed(self, name: str) -> str:
        """What the cell with that id printed."""
        return "".join(o.text for o in self.cell(name).outputs if o.output_type == "stream")


@pytest.fixture(scope="session")
def committed() -> NotebookNode:
    """The notebook as it lies in the repository."""
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.fixture(scope="session")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Executed:
    """Runs the notebook in the repository's root, with neither Fashion-MNIST nor a network."""
    nobody = "http://127.0.0.1:9"
    changed = {
        "KERAS_HOME": str(tmp_path_factory.mktemp("keras")),
        "IPYTHONDIR": str(tmp_path_factory.mktemp("ipython")),
        "FASHION_MNIST": "",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), nobody),
    }
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(ROOT)}})

    def run(code: str) -> str:
        """What further code prints in the notebook's kernel."""
        cell = nbformat.v4.new_code_cell(code)
        notebook.cells.append(cell)
        try:
            client.execute_cell(cell, len(notebook.cells) - 1)
        finally:
            notebook.cells.remove(cell)
        return "".join(o.text for o in cell.outputs if o.get("name") == "stdout")

    with client.setup_kernel(env=os.environ | changed):
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
        yield Executed(notebook, run)


@pytest.fixture(scope="session")
def fashion_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four files in the form of Fashion-MNIST: ten classes, 20 grey images each."""
    folder = tmp_path_factory.mktemp("fashion")
    labels = np.tile(np.arange(10, dtype=np.uint8), 20)
    images = np.broadcast_to(labels[:, None, None] * 25, (200, 28, 28)).astype(np.uint8)
    for part in ("train", "t10k"):
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            header = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
            (folder / f"{part}-{kind}-ubyte").write_bytes(header + array.tobytes())
    return folder
