"""Which worker gets which job next.

Each worker has a stretch of the jobs to itself: neighbours are alike, so what it traced for one
serves the next, and it can build the models of several jobs in one go. One that is through with its
own takes over half of what waits for the busiest, so that none is idle while another has a queue.
"""

from collections import deque
from collections.abc import Sequence
from itertools import islice, pairwise

AHEAD = 16
"""Jobs that a worker is told of before their turn."""


class Queues:
    """What waits for each worker.

    Args:
        order: the jobs, in the order in which one worker would run them.
        repeats: how many of the last ones are to come when all others have been taken.
        workers: how many.
    """

    def __init__(self, order: Sequence[int], repeats: int, workers: int) -> None:
        cut = len(order) - repeats
        ends = [cut * number // workers for number in range(workers + 1)]
        self._waiting = [deque(order[start:end]) for start, end in pairwise(ends)]
        self._repeats = deque(order[cut:])

    def take(self, worker: int) -> tuple[int, list[int]] | None:
        """The next job of a worker, which is taken, and those that are to follow it.

        Args:
            worker: its number, from 0.

        Returns:
            None where nothing waits for anybody.
        """
        own = self._waiting[worker]
        if not own:
            busiest = max(self._waiting, key=len)
            half = [busiest.pop() for _ in range(-(-len(busiest) // 2))]
            own.extend(reversed(half))
        if own:
            return own.popleft(), list(islice(own, AHEAD))
        return (self._repeats.popleft(), []) if self._repeats else None
