"""Which split a group of rows goes to, where its rows have to stay together.

Large groups are placed first, each drawn among the splits in which it fits, with chances in
proportion to the room left there. Single rows fill what is left, so that the splits have the sizes
asked for as long as there are enough single rows.
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from src.data.dataset import Labels

Room = list[int]
"""Rows of a class that each split has room for; below 0 where it has too many."""


def place_groups(
    y: Labels, groups: NDArray[np.int64], rooms: list[Room], rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Draws the groups of each split; groups of a single class are drawn class by class.

    Args:
        y: class numbers, int64, shape (n,), values 0 to K-1.
        groups: number of each row's group, 0 to G-1, int64, shape (n,).
        rooms: of each class.
        rng: where every group is a single row it draws a permutation for each class alone.

    Returns:
        Numbers of groups for each split.
    """
    sizes, left = np.bincount(groups), [list(room) for room in rooms]
    pairs, rows = np.unique(groups * len(rooms) + y, return_counts=True)
    numbers, labels = np.divmod(pairs, len(rooms))
    is_pure = (np.bincount(numbers) == 1)[numbers]
    mixed: dict[int, dict[int, int]] = defaultdict(dict)
    for pair in np.flatnonzero(~is_pure).tolist():
        mixed[int(numbers[pair])][int(labels[pair])] = int(rows[pair])
    pure = np.bincount(labels[is_pure], minlength=len(rooms))
    placed = np.array(_place_mixed(list(mixed.values()), left, pure, rng), np.int64)
    of_mixed = np.array(list(mixed), np.int64)
    parts = [[of_mixed[placed == split]] for split in range(len(rooms[0]))]
    for k, room in enumerate(left):
        units = rng.permutation(numbers[is_pure & (labels == k)])
        empty = {split for split, wanted in enumerate(rooms[k]) if room[split] == wanted}
        placed = _place_pure(sizes[units], room, empty, rng)
        for split, part in enumerate(parts):
            part.append(units[placed == split])
    return [np.concatenate(part) for part in parts]


def _place_mixed(
    groups: Sequence[dict[int, int]],
    rooms: list[Room],
    pure: NDArray[np.int64],
    rng: np.random.Generator,
) -> list[int]:
    """The split of each group of several classes, given as rows by class, by its rarest class.

    The room that they take is subtracted from `rooms`; `pure` counts groups of each class alone.
    """
    placed, every = [0] * len(groups), range(len(rooms[0]))
    empty = [set(every) for _ in rooms]
    left = Counter(k for group in groups for k in group) + Counter(dict(enumerate(pure.tolist())))
    order = rng.permutation(len(groups)).tolist() if groups else []
    for i in sorted(order, key=lambda i: -sum(groups[i].values())):
        rarest = min(groups[i], key=lambda k: sum(rooms[k]))
        needed = [empty[k] for k in groups[i] if left[k] <= len(empty[k])]
        choice = set(every).intersection(*needed) or needed[0]
        fits = [
            split
            for split in sorted(choice)
            if all(rooms[k][split] >= rows for k, rows in groups[i].items())
        ]
        placed[i] = _draw(rooms[rarest], fits, rng.random(), sorted(choice))
        for k, rows in groups[i].items():
            rooms[k][placed[i]] -= rows
            left[k] -= 1
            empty[k].discard(placed[i])
    return placed


def _place_pure(
    sizes: NDArray[np.int64], room: Room, empty: set[int], rng: np.random.Generator
) -> NDArray[np.int64]:
    """The split of each group of one class, given as their sizes; `empty` splits get one first."""
    placed, room = np.empty(len(sizes), np.int64), list(room)
    several, single = np.flatnonzero(sizes > 1), np.flatnonzero(sizes == 1)
    several = several[np.argsort(-sizes[several], kind="stable")]
    for left, unit, draw in zip(
        range(len(sizes), 0, -1), several, rng.random(len(several)).tolist(), strict=False
    ):
        choice = empty if left <= len(empty) else range(len(room))
        size = int(sizes[unit])
        fits = [split for split in choice if room[split] >= size]
        placed[unit] = split = _draw(room, fits, draw, choice)
        room[split] -= size
        empty.discard(split)
    room = [max(rows, int(split in empty)) for split, rows in enumerate(room)]
    while sum(room) > len(single):
        room[int(np.argmax(room))] -= 1
    placed[single] = np.repeat(range(len(room)), room)
    return placed


def _draw(room: Room, fits: Sequence[int], draw: float, otherwise: Collection[int]) -> int:
    """A split that fits, drawn by its room; else the one of `otherwise` with the most room."""
    reached = list(accumulate(max(room[split], 0) for split in fits))
    if not reached or reached[-1] == 0:
        return max(otherwise, key=room.__getitem__)
    return fits[bisect(reached, draw * reached[-1])]
