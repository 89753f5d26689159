"""A loss is drawn in its own way wherever it is drawn, and told apart from every other."""

from pathlib import Path

import pytest

from src.analysis.figures.palette import BY_NAME, GREY, colour_of, line_of

LOSSES = sorted(file.stem for file in (Path(__file__).parents[2] / "conf/loss").glob("*.yaml"))


def luminance(colour):
    """Relative luminance as WCAG 2.1 defines it, of ``#rrggbb``."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_every_loss_has_a_line_of_its_own():
    assert set(BY_NAME) == set(LOSSES)
    assert len({(c, str(d), m) for c, d, m in BY_NAME.values()}) == len(LOSSES)
    assert colour_of("ce") == GREY


@pytest.mark.parametrize("loss", LOSSES)
def test_colours_are_seen_on_white_and_on_black(loss):
    light = luminance(colour_of(loss))
    assert 1.05 / (light + 0.05) > 2
    assert (light + 0.05) / 0.05 > 3


def test_gamma_is_the_shade_and_other_knobs_the_dashes_of_the_same_colour():
    usual = line_of("focal(gamma=2, alpha=0.25)")
    assert usual == line_of("focal")
    shades = [luminance(colour_of(f"focal(gamma={g}, alpha=0.25)")) for g in (0, 0.5, 1, 2, 3, 5)]
    assert shades == sorted(shades, reverse=True)
    assert len(set(shades)) == 6
    by_class = line_of("focal(gamma=2, alpha=[0.25, 0.75])")
    assert by_class["color"] == usual["color"]
    assert by_class["ls"] != usual["ls"]
    assert line_of("mine(x=1)") == line_of("mine(x=1)") != line_of("mine")
