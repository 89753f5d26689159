"""A folder of pictures is a data set: its classes, its splits, what is damaged in it."""

import logging
import re
import shutil
from itertools import chain

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from src.data.dataset import SPLITS, decoded
from src.data.errors import DataError
from src.data.images.decode import decode
from tests.data.images.made_pictures import RNG, fill, save

DIGITS = load_digits()


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """The digits as PNGs, each named by its row in scikit-learn's table, and by a writer."""
    root = tmp_path_factory.mktemp("digits")
    for row, (pixels, digit) in enumerate(zip(DIGITS.images, DIGITS.target, strict=True)):
        file = root / str(digit) / f"writer{row % 43}_{row}.png"
        file.parent.mkdir(exist_ok=True)
        Image.fromarray((pixels * 15).astype(np.uint8)).save(file)
    return root


def rows_of(data, root):
    """The row in the table of each picture, by its pixels, split by split."""
    known = {(pixels * 15).astype(np.uint8).tobytes(): n for n, pixels in enumerate(DIGITS.images)}
    return [[known[image.tobytes()] for image in getattr(data, f"x_{split}")] for split in SPLITS]


def test_every_picture_is_in_one_split_with_its_class_and_its_name(read, digits):
    data = read(digits)
    assert data.class_names == tuple("0123456789")
    assert data.input_shape == (8, 8, 1)
    assert data.name == digits.name
    train, val, test = rows_of(data, digits)
    assert sorted(train + val + test) == list(range(len(DIGITS.target)))
    for split, rows in zip(SPLITS, (train, val, test), strict=True):
        np.testing.assert_array_equal(getattr(data, f"y_{split}"), DIGITS.target[rows])
    assert [int(re.search(r"_(\d+)", name)[1]) for name in data.test_ids] == test
    found = data.preprocessing.transform([digits / name for name in data.test_ids[:9]])
    np.testing.assert_array_equal(found, data.x_test[:9])
    assert read(digits, 1).fingerprint != data.fingerprint == read(digits).fingerprint


def test_on_disk_are_the_same_bytes_read_as_they_are_asked_for_and_never_whole(read, digits):
    memory, disk = read(digits, 3), read(digits, 3, memory_share=1e-9)
    assert (memory.on_disk, disk.on_disk) == (False, True)
    assert disk.fingerprint == memory.fingerprint
    some = RNG.permutation(len(disk.y_train))[:50]
    np.testing.assert_array_equal(disk.x_train[some], memory.x_train[some])
    np.testing.assert_array_equal(disk.x_val[3:9], memory.x_val[3:9])
    for take_all in (np.asarray, decoded, np.isfinite):
        with pytest.raises(DataError, match=r"GB and stay.*with data=image_folder lower data\.im"):
            take_all(disk.x_train)


def test_profiles_folds_and_groups_are_those_of_every_source(read, digits):
    step = read(digits, profile="step", imbalance_ratio=10, rare_classes=["7", 8])
    assert step.class_counts[7:9] == (11, 11)
    assert min(np.bincount(step.y_test)) > 30
    tests = [rows_of(read(digits, fold, split="kfold"), digits)[2] for fold in range(5)]
    assert sorted(chain(*tests)) == list(range(len(DIGITS.target)))
    grouped = read(digits, group="(writer[0-9]+)_")
    writers = [{row % 43 for row in rows} for rows in rows_of(grouped, digits)]
    assert sum(map(len, writers)) == len(set.union(*writers)) == 43
    assert (grouped.split, grouped.estimand) == ("group", "table")
    with pytest.raises(DataError, match=r"data\.split=group needs data\.group=PATTERN"):
        read(digits, split="group")
    with pytest.raises(DataError, match=r"finds nothing in 1,797 of 1,797 paths of .*0/writer"):
        read(digits, group="(patient[0-9]+)_")


def test_given_splits_are_the_folders_whatever_the_seed(read, tmp_path, caplog):
    root = tmp_path / "given"
    fill(root, *(f"{split}/{name}" for split in ("Train", "valid", "test") for name in "ab"))
    shutil.copy(root / "Train/a/03.png", root / "test/b/known.png")
    data = read(root)
    assert (data.split, data.estimand) == ("given", "trainings")
    assert data.rows == {"train": 20, "val": 20, "test": 21}
    assert data.fingerprint == read(root, 5).fingerprint
    words = "1 of 21 test pictures are in train or val, too, .*: 'test/b/known.png'"
    assert re.search(words, caplog.text)
    read(root, group="([0-9]+|known)[.]png")
    assert "10 of 11 groups of" in caplog.text
    assert read(root, split="random").rows == {"train": 37, "val": 12, "test": 12}
    shutil.rmtree(root / "valid")
    drawn, other = read(root), read(root, 5)
    assert drawn.rows == {"train": 16, "val": 4, "test": 21}
    np.testing.assert_array_equal(drawn.x_test, other.x_test)
    assert drawn.fingerprint != other.fingerprint


def test_pictures_with_the_same_pixels_stay_in_one_split(read, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    root = fill(tmp_path / "twice", "a", "b", pictures=30)
    for number in range(15):
        Image.open(root / f"a/{number:02}.png").save(root / f"a/again{number}.bmp")
    for seed in range(5):
        data = read(root, seed)
        sets = [{image.tobytes() for image in getattr(data, f"x_{split}")} for split in SPLITS]
        assert sum(map(len, sets)) == len(set.union(*sets)) == 60
    assert data.duplicates.duplicate_rows == 15
    assert "15 of 75 pictures have the pixels of an earlier one" in caplog.text
    assert sum(read(root, duplicates="drop").rows.values()) == 60


@pytest.mark.parametrize(
    ("sizes", "modes", "found"),
    [
        ([(28, 30)], "L", (28, 30, 1)),
        ([(28, 30), (30, 32), (200, 40)], "L", (30, 32, 1)),
        ([(600, 400)], ["L", "RGB"], (128, 85, 3)),
        ([(9, 9)], ["L", "P"], (9, 9, 3)),
        ([(9, 9)], ["L", "1"], (9, 9, 1)),
    ],
)
def test_size_and_colours_are_found_and_what_is_given_counts(read, tmp_path, sizes, modes, found):
    for number in range(24):
        mode = modes[number % len(modes)] if number < 20 else modes[0]
        save(tmp_path / f"p/{'ab'[number // 12]}/{number}.png", sizes[number % len(sizes)], mode)
    assert read(tmp_path / "p").input_shape == found
    given = read(tmp_path / "p", image_size=[5, 4], color="rgb")
    assert given.input_shape == (5, 4, 3)
    expected = decode(tmp_path / "p" / given.test_ids[0], size=(5, 4), color="rgb")
    np.testing.assert_array_equal(given.x_test[0], expected)


def test_damaged_and_foreign_files_are_named_and_counted_and_skipped_where_asked(
    read, tmp_path, caplog
):
    root = fill(tmp_path / "p", "a", "b")
    (root / "a/.DS_Store").touch()
    (root / "b/notes.txt").write_text("no picture")
    with pytest.raises(DataError, match=r"1 file cannot be used:\n.*b/notes\.txt: is no picture"):
        read(root)
    (root / "b/notes.txt").unlink()
    save(root / "a/cut.jpg", (40, 40))
    (root / "a/cut.jpg").write_bytes((root / "a/cut.jpg").read_bytes()[:-50])
    (root / "b/zz.png").write_bytes(b"no picture")
    words = (
        r"(?s)2 files cannot .*a/cut\.jpg: .*cut short.*b/zz\.png: is no PNG.*data\.damaged=skip"
    )
    with pytest.raises(DataError, match=words):
        read(root)
    data = read(root, damaged="skip")
    assert sum(data.rows.values()) == 20
    assert "left out 2 files" in caplog.text
    for name in ("a/cut.jpg", "b/zz.png"):
        (root / name).unlink()
    assert read(root).fingerprint == data.fingerprint


def test_what_pictures_lose_is_said_once_with_their_number(read, tmp_path, caplog):
    root = fill(tmp_path / "p", "a", "b")
    save(root / "a/cmyk.jpg", mode="CMYK")
    wide = RNG.integers(0, 65536, (6, 5)).astype(np.uint16)
    Image.fromarray(wide).save(root / "a/wide.png")
    clear = Image.new("RGBA", (5, 6), (0, 0, 0, 0))
    for name in ("one", "two"):
        clear.putpixel((0, len(name) % 2), (9, 9, 9, len(name)))
        clear.save(root / f"b/{name}.png")
    read(root)
    for words in (
        "1 of 24 pictures are in CMYK, made RGB without a colour profile: 'a/cmyk.jpg'",
        "1 of 24 pictures are of 16 bits per pixel, of which the upper eight are kept: 'a/w",
        "2 of 24 pictures are with transparent pixels, laid over white: 'b/one.png', 'b/two.png'",
    ):
        assert caplog.text.count(words) == 1


def test_a_link_that_stays_in_the_folder_is_followed(read, tmp_path):
    root = fill(tmp_path / "p", "a", "b")
    (root / "a/same.png").symlink_to(root / "a/00.png")
    assert read(root).duplicates.duplicate_rows == 1
