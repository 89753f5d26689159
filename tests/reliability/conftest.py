"""Trainings in this process."""

from tests.engine.conftest import float32_again  # noqa: F401  used by itself
