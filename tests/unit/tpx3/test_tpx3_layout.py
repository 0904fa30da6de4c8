from __future__ import annotations

import numpy as np

from twinbeam.tpx3 import CHIP_PIXELS, N_CHIPS, SENSOR_PIXELS, chip_of, to_chip, to_sensor


def test_every_sensor_pixel_is_one_pixel_of_one_chip() -> None:
    y, x = (a.ravel() for a in np.mgrid[:SENSOR_PIXELS, :SENSOR_PIXELS])
    chip, column, row = to_chip(x, y)
    assert np.array_equal(chip, chip_of(x, y))
    assert column.min() == row.min() == 0
    assert column.max() == row.max() == CHIP_PIXELS - 1
    back = to_sensor(chip, column, row)
    assert np.array_equal(back[0], x)
    assert np.array_equal(back[1], y)
    number = (chip.astype(np.int64) * CHIP_PIXELS + column) * CHIP_PIXELS + row
    assert np.unique(number).size == N_CHIPS * CHIP_PIXELS**2


def test_chips_lie_as_in_the_image_with_y_up() -> None:
    assert chip_of([0, 511, 0, 511], [511, 511, 0, 0]).tolist() == [2, 1, 3, 0]


def test_rotated_chips_begin_in_the_outer_upper_corner() -> None:
    x, y = to_sensor([0, 1, 2, 3], [0, 0, 0, 0], [0, 0, 0, 0])
    places = list(zip(x.tolist(), y.tolist(), strict=True))
    assert places == [(256, 0), (511, 511), (255, 511), (0, 0)]
