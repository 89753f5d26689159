"""Folders of pictures are read with a cache of the test's own."""

import pytest

from src.data.images.image_folder import image_folder


@pytest.fixture
def read(tmp_path):
    """The data set of a folder, with a cache of its own."""
    return lambda root, seed=0, **more: image_folder(
        str(root), seed, **({"cache": str(tmp_path / "cache")} | more)
    )
