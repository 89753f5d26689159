"""Shared by the programs: turns and ratios, training as typed, stores that are made, the page."""
