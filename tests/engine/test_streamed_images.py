"""Images as bytes, in memory or in a mapped file, train to the bits of floats decoded before."""

from dataclasses import replace

import numpy as np
import pytest

from src.data.dataset import SPLITS, Dataset, decoded
from src.data.errors import DataError
from src.data.rows_on_disk import RowsOnDisk
from src.engine import shared_graph
from src.engine.batches import in_order
from src.engine.fit import train
from src.engine.sampling import sampled
from src.engine.shared_graph import TrainingGraph
from tests.engine.by_fit import SeesBatches, bits

pytestmark = pytest.mark.slow

SAMPLER = {"name": "random_over", "_target_": "imblearn.over_sampling.RandomOverSampler"}


def mapped(dataset: Dataset, folder) -> Dataset:
    """The same data set, its images in one file: the training rows in another order."""
    file, parts, start = folder / "images.bin", {}, 0
    images = np.concatenate([getattr(dataset, f"x_{split}") for split in SPLITS])
    places = np.random.default_rng(0).permutation(len(images))
    images[places].tofile(file)
    whole = np.memmap(file, np.uint8, "r", shape=images.shape)
    for split in SPLITS:
        stop = start + len(getattr(dataset, f"y_{split}"))
        parts[f"x_{split}"], start = RowsOnDisk(whole, np.argsort(places)[start:stop]), stop
    return replace(dataset, **parts, on_disk=True)


@pytest.fixture(scope="module")
def images(job):
    small = ("model.filters=[4]", "model.dense=8", "training.epochs=1")
    config, dataset = job("model=cnn", "data=digits", *small)
    pixels = {
        f"x_{split}": np.round(255 * getattr(dataset, f"x_{split}")).astype(np.uint8)
        for split in SPLITS
    }
    return config, replace(dataset, **pixels)


def test_images_have_the_same_bits_as_floats_as_bytes_and_from_disk_in_either_graph(
    images, graphs, tmp_path, monkeypatch
):
    config, in_memory = images
    on_disk = mapped(in_memory, tmp_path)
    floats = {f"x_{split}": decoded(getattr(in_memory, f"x_{split}")) for split in SPLITS}
    expected = bits(train(config, replace(in_memory, **floats), "floats"))
    assert bits(train(config, in_memory, "memory", graphs=graphs)) == expected
    assert bits(train(config, on_disk, "fit", [SeesBatches()])) == expected
    monkeypatch.setattr(shared_graph, "BYTES_A_CALL", 10_000)  # a call has four batches, or one
    assert bits(train(config, on_disk, "graph", graphs=graphs)) == expected
    assert isinstance(graphs.get(config, on_disk), TrainingGraph)
    assert len(graphs) == 1, "they share the graph"


def test_rows_are_read_as_they_are_asked_for(images, tmp_path):
    """A file that is longer than memory would end a pipeline that reads all of it first."""
    rows, side = 200_000, 2_000
    file = tmp_path / "large.bin"
    with file.open("wb") as stream:
        stream.truncate(rows * side * side)  # 800 GB that no disk holds
    whole = np.memmap(file, np.uint8, "r", shape=(rows, side, side, 1))
    first = next(iter(in_order(2, whole, np.arange(rows))))
    assert first[0].shape == (2, side, side, 1)
    assert first[1].numpy().tolist() == [0, 1]


def test_what_needs_all_images_at_once_is_refused(images, tmp_path):
    config, in_memory = images
    oversampled = config | {"sampling": SAMPLER}
    with pytest.raises(DataError, match=r"images take .* GB and stay on disk"):
        sampled(mapped(in_memory, tmp_path), oversampled)
    assert len(sampled(in_memory, oversampled).y_train) > len(in_memory.y_train)
