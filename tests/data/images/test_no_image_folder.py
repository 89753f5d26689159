"""A folder that is no data set of pictures ends in one message, which says what would be right."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from src.data.errors import DataError
from tests.data.images.made_pictures import fill, save


def above(root, *splits):
    """The folder as each of these splits of another."""
    for split in splits:
        shutil.copytree(root, root.parent / "above" / split)
    return root.parent / "above"


def without_a_class(root):
    shutil.rmtree(above(root, "train", "test") / "test/b")
    return root.parent / "above"


def link_out(root):
    (root / "a/out.png").symlink_to(fill(root.parent / "other", "c") / "c/00.png")


CASES: dict[str, Callable[[Path], Path | None]] = {
    "missing": lambda root: root / "none",
    "a file": lambda root: root / "a/00.png",
    "one class": lambda root: shutil.rmtree(root / "b"),
    "empty class": lambda root: (root / "c").mkdir(),
    "nested": lambda root: fill(root, "b/young"),
    "case": lambda root: fill(root, "A"),
    "loose": lambda root: save(root / "c.png"),
    "flat": lambda root: root / "a",
    "link out": link_out,
    "folder link": lambda root: (root / "c").symlink_to(root / "a"),
    "few": lambda root: (root / "b/00.png").unlink(),
    "split without test": lambda root: above(root, "train", "val"),
    "split with a class less": without_a_class,
    "split beside others": lambda root: above(root, "train", "test", "unsorted"),
}
"""What is done to a folder of two classes; another folder where one is returned."""


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("missing", r"data\.root=\S+ does not exist .*must name a folder with a folder for each"),
        ("a file", r"data\.root=\S+ is a file; it must name a folder"),
        ("one class", "holds one class, 'a'; right are folders of at least two"),
        ("empty class", r"no pictures \(.png, .jpg, .jpeg, .bmp, .gif\) in the class folders 'c'"),
        ("nested", "the class folder 'b' holds folders, 'young'; .*Move them up"),
        ("case", "class folders differ by case alone: 'A', 'a'"),
        ("loose", "holds pictures beside its class folders, such as 'c.png'"),
        ("flat", "holds no folders but 3 pictures; right is a folder for each class"),
        ("link out", r"links that lead out of .*: 'out.png'\. Put the files themselves"),
        ("folder link", r"links that lead out of .*, to a folder or nowhere.*'c'"),
        ("few", r"too few rows of class 'b' \(2\)"),
        (
            "split without test",
            r"holds train/, val/; .*data\.root=\S+/train\S+ splits its",
        ),
        ("split with a class less", "'b' is in one of train/ and test/ alone"),
        ("split beside others", "train/, test/ and beside them 'unsorted'"),
    ],
)
def test_a_folder_that_is_no_data_set_ends_in_one_message(read, tmp_path, case, words):
    root = fill(tmp_path / "p", "a", "b", pictures=3)
    root = CASES[case](root) or root
    with pytest.raises(DataError, match=words):
        read(root)
