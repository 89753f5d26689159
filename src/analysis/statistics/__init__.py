"""Paired statistics: interval, test, comparison of each loss with the baseline, recommendation."""
