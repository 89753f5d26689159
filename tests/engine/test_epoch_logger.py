"""Epochs are sent to the store together, all of them, and never so that training waits for long."""

import pytest

from src.engine.epoch_logger import EpochLogger


class Sent:
    """A tracker on a clock of its own; each sending takes a while, and may fail."""

    def __init__(self, seconds=0.0, fails_at=None):
        self.batches, self.now = [], 0.0
        self._seconds, self._fails_at = seconds, fails_at

    def __call__(self, rows):
        epochs = [row["epoch"] for row in rows]
        if self._fails_at in epochs:
            raise ConnectionError("the store is away")
        self.batches.append(epochs)
        self.now += self._seconds

    def clock(self):
        return self.now


def logged(sent, epochs, seconds=0.0, **options):
    """A logger after so many epochs, each of so many seconds."""
    logger = EpochLogger(sent, clock=sent.clock, **options)
    for epoch in range(epochs):
        logger.on_epoch_end(epoch, {"loss": 0.5})
        sent.now += seconds
    return logger


def test_a_slow_store_takes_little_of_the_time():
    sent = Sent(seconds=0.5)
    logger = logged(sent, 100, seconds=1.0)
    assert 0.5 * len(sent.batches) <= 0.04 * sent.now
    logger.flush()
    assert [epoch for batch in sent.batches for epoch in batch] == list(range(1, 101))


def test_a_tracker_that_fails_is_asked_no_more_and_all_rows_are_kept():
    sent = Sent(fails_at=2)
    logger = logged(sent, 4, least_wait=0.0)
    assert sent.batches == [[1]]
    assert [row["epoch"] for row in logger.rows] == [1, 2, 3, 4]
    assert not logger.complete


def test_epochs_that_come_fast_are_sent_together_and_none_is_left_out():
    sent = Sent()
    logger = logged(sent, 5)
    logger.flush()
    logger.flush()
    assert sent.batches == [[1], [2, 3, 4, 5]]
    assert logger.complete


def test_no_more_rows_are_held_back_than_an_end_can_wait_for():
    sent = Sent()
    logged(sent, 2500, least_wait=float("inf")).flush()
    assert [len(batch) for batch in sent.batches] == [1, 1000, 1000, 499]


@pytest.mark.parametrize("send", [None, lambda rows: None])
def test_a_resumed_training_is_not_complete_in_the_store(send):
    logger = EpochLogger(send)
    logger.resume([{"epoch": 1, "loss": 0.5}])
    logger.flush()
    assert not logger.complete
