"""Pictures are decoded once for all processes; the cache keeps itself in order and no more."""

import os
import threading

import pytest

from src.data.errors import DataError
from src.data.images.cache import ImageCache
from src.data.images.image_folder import image_folder
from tests.data.images.made_pictures import RNG, fill, save


def test_pictures_are_decoded_once_until_one_changes_and_nothing_else_is_removed(tmp_path):
    root = fill(tmp_path / "p", "a", "b")
    cache = tmp_path / "cache"
    (cache / "of others").mkdir(parents=True)

    def entries():
        read_anew = image_folder(str(root), cache=str(cache), memory_share=RNG.uniform(0.2, 0.3))
        made = [folder for folder in cache.iterdir() if len(folder.name) == 64]
        return read_anew, {folder.name: (folder / "images.npy").stat().st_ino for folder in made}

    first, before = entries()
    again, after = entries()
    assert len(before) == 1
    assert (after, again.fingerprint) == (before, first.fingerprint)
    save(root / "a/00.png")
    changed, later = entries()
    assert len(later) == 1
    assert later.keys() != before.keys()
    assert changed.fingerprint != first.fingerprint
    (cache / next(iter(later)) / "images.npy").write_bytes(b"damaged")
    image_folder(str(fill(tmp_path / "q", "a", "b")), cache=str(cache))  # so that p is read anew
    assert entries()[0].fingerprint == changed.fingerprint
    old = cache / next(iter(later))
    os.utime(old, (0, 0))
    image_folder(str(fill(tmp_path / "r", "a", "b")), cache=str(cache))
    assert not old.exists()
    assert {folder.name for folder in cache.iterdir() if len(folder.name) != 64} == {
        "lock",
        "of others",
    }


def test_whoever_comes_while_pictures_are_decoded_waits_for_them(tmp_path):
    made, begun = [], threading.Event()

    def get():
        cache = ImageCache(str(tmp_path))

        def make(entry):
            made.append(entry)
            begun.set()
            cache.new_array(entry, (3, 1, 1, 1))[:] = 7
            return {"answer": 42}

        return cache.get("0" * 64, "pictures", make)

    others = [threading.Thread(target=get) for _ in range(4)]
    for other in others:
        other.start()
    images, facts = get()
    for other in others:
        other.join()
    assert len(made) == 1
    assert images.tolist() == [[[[7]]]] * 3
    assert facts["answer"] == 42
    assert not images.flags.writeable


def test_a_cache_without_room_or_right_says_which_key_names_another(read, tmp_path):
    root = fill(tmp_path / "p", "a", "b")
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(DataError, match=r"cannot be kept there: .*data\.cache=FOLDER"):
        read(root)
    cache = ImageCache(str(tmp_path))
    with pytest.raises(DataError, match=r"take 1,000,000\.0 GB, and .* GB are free.*data\.cache"):
        cache.new_array(tmp_path, (10**9, 1000, 1000, 1))
