"""Which worker gets which job: alike ones together, each once, nobody idle while others wait."""

import random

import pytest

from src.sweeps.queues import AHEAD, Queues


def test_each_worker_has_a_stretch_to_itself_and_knows_what_follows():
    queues = Queues([4, 5, 0, 1, 2, 3], repeats=0, workers=2)
    assert queues.take(0) == (4, [5, 0])
    assert queues.take(1) == (1, [2, 3])
    assert queues.take(0) == (5, [0])


def test_no_more_is_announced_than_can_be_built_ahead():
    queues = Queues(range(100), repeats=0, workers=1)
    assert queues.take(0) == (0, list(range(1, AHEAD + 1)))


def test_one_that_is_through_takes_over_half_of_what_waits_for_the_busiest():
    queues = Queues(range(8), repeats=0, workers=2)
    assert [queues.take(0)[0] for _ in range(4)] == [0, 1, 2, 3]
    assert queues.take(1) == (4, [5, 6, 7])
    assert queues.take(0) == (6, [7])
    assert queues.take(1) == (5, [])
    assert queues.take(1) == (7, [])
    assert queues.take(0) is None


def test_repeats_come_when_all_others_have_been_taken():
    queues = Queues([0, 2, 1, 3], repeats=2, workers=2)
    assert [queues.take(worker)[0] for worker in (0, 0, 0, 1)] == [0, 2, 1, 3]


@pytest.mark.parametrize("seed", range(20))
def test_every_job_is_handed_out_once_whoever_asks(seed):
    draw = random.Random(seed)
    jobs, workers = draw.randrange(40), draw.randrange(1, 9)
    repeats = draw.randrange(jobs + 1)
    queues = Queues(range(jobs), repeats, workers)
    taken = [queues.take(draw.randrange(workers)) for _ in range(jobs)]
    places = [place for place, _ in taken]
    assert sorted(places) == list(range(jobs))
    assert sorted(places[jobs - repeats :]) == list(range(jobs - repeats, jobs))
    assert all(queues.take(worker) is None for worker in range(workers))
