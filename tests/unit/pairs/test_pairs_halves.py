"""Regions of the detector: halves as they always were, quadrants, masks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photon_lists import photons_at, random_photons, seeds

from twinbeam.errors import RecipeError
from twinbeam.pairs import OPPOSITE, Pairing, region_map, region_of, split_halves
from twinbeam.physics import Geometry

EXAMPLES = settings(max_examples=40, deadline=None, database=None)
centres = st.tuples(st.floats(240.0, 270.0), st.floats(240.0, 270.0))


@EXAMPLES
@given(seeds, centres, st.sampled_from(["top", "bottom", "left", "right"]))
def test_halves_are_split_by_comparing_with_the_axis(
    seed: int, centre: tuple[float, float], half: str
) -> None:
    photons = random_photons(seed)
    along = photons.y if half in ("top", "bottom") else photons.x
    upper = along >= centre[1 if half in ("top", "bottom") else 0]
    signal = upper if half in ("top", "right") else ~upper
    region = region_of(photons.x, photons.y, half, centre)
    assert region.tolist() == np.where(signal, 1, 2).tolist()
    assert region.dtype == np.uint8


@EXAMPLES
@given(seeds, centres)
def test_quadrants_are_where_two_halves_meet(seed: int, centre: tuple[float, float]) -> None:
    photons = random_photons(seed)

    def signal_of(name: str) -> np.ndarray:
        return region_of(photons.x, photons.y, name, centre) == 1

    for name, opposite in OPPOSITE.items():
        region = region_of(photons.x, photons.y, name, centre)
        assert np.array_equal(region == 2, signal_of(opposite))
        if "_" in name:
            vertical, horizontal = name.split("_")
            assert np.array_equal(region == 1, signal_of(vertical) & signal_of(horizontal))
        else:
            assert (region > 0).all()


def test_a_photon_on_the_axis_is_above_and_to_the_right() -> None:
    on_axis = [258.0], [258.0]
    found = {name: int(region_of(*on_axis, name, (258.0, 258.0))[0]) for name in OPPOSITE}
    assert [name for name, region in found.items() if region == 1] == ["top", "right", "top_right"]
    assert [name for name, region in found.items() if region == 0] == [
        "top_left",
        "bottom_right",
    ]


def masks() -> tuple[np.ndarray, np.ndarray]:
    signal, idler = np.zeros((2, 514, 514), dtype=bool)
    signal[300:400, 100:200] = True
    idler[100:200, 300:400] = True
    return signal, idler


def test_masks_take_the_nearest_pixel() -> None:
    regions = region_map(*masks())
    x = [99.4, 99.5, 199.4, 199.5, 350.0, -3.0, 600.0]
    y = [350.0, 350.0, 350.0, 350.0, 150.0, 350.0, 150.0]
    assert region_of(x, y, regions, (258.0, 258.0)).tolist() == [0, 1, 1, 0, 2, 0, 0]


def test_photons_elsewhere_are_counted() -> None:
    photons = photons_at(
        np.arange(5.0), [150.0, 350.0, 10.0, 150.0, 20.0], [350.0, 150.0, 10.0, 350.0, 20.0],
        [7.0, 7.0, 7.0, 1.0, 14.0],
    )  # fmt: skip
    one, two, rejected = split_halves(photons, Pairing(), Geometry(), region_map(*masks()))
    assert (one.t.tolist(), two.t.tolist()) == ([0.0], [1.0])
    assert rejected == {"energy_low": 1, "energy_high": 1, "elsewhere": 1}
    assert "elsewhere" not in split_halves(photons, Pairing(), Geometry())[2]


def test_wrong_masks_are_recipe_errors() -> None:
    signal, idler = masks()
    with pytest.raises(RecipeError, match="the idler mask has the shape"):
        region_map(signal, idler[:512, :512])
    with pytest.raises(RecipeError, match="the signal mask holds no pixel"):
        region_map(np.zeros_like(signal), idler)
    idler[310, 120] = True
    with pytest.raises(RecipeError, match="1 pixels are in both masks, the first at x = 120, y = "):
        region_map(signal, idler)
