"""Bars and images of block characters."""

from __future__ import annotations

import numpy as np
import pytest

from twinbeam.cli.blocks import bars, half_blocks, shrunk


def test_bars_are_as_high_as_the_values() -> None:
    assert bars([0, 1, 2, 4, 8], 10) == [" ▁▂▄█"]
    assert bars([8, 16], 10, rows=2) == [" █", "██"]
    assert bars([1, 1000], 10) == ["▁█"]  # what is there at all is seen
    assert bars([np.nan, -1.0, 2.0], 10) == ["  █"]
    assert bars([0, 0], 10) == ["  "]
    assert bars([], 10) == [""]


def test_too_many_values_are_averaged() -> None:
    assert bars([0, 0, 8, 8], 2) == [" █"]
    assert len(bars(np.ones(1000), 33)[0]) == 33


@pytest.mark.parametrize("shape", [(514, 514), (60, 60), (514, 300)])
def test_nothing_of_an_image_is_lost_when_it_shrinks(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).poisson(2.0, shape)
    small = shrunk(image, 30, 40)
    assert small.shape == (30, 40)
    assert small.sum() == image.sum()


def test_an_image_is_upright() -> None:
    image = np.zeros((8, 8))
    image[7, 0] = 1.0  # largest y, smallest x: upper left
    lines = half_blocks(image, 4, colours=False).plain.split("\n")
    assert lines == ["█   ", "    "]
    coloured = half_blocks(image, 8)
    assert coloured.plain.split("\n") == ["▀" * 8] * 4
    first = coloured.spans[0]
    assert (first.start, first.end) == (0, 1)


def test_an_empty_image_is_drawn() -> None:
    assert half_blocks(np.zeros((8, 8)), 4, colours=False).plain == "    \n    "
