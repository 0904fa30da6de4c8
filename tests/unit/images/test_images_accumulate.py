"""Images of pairs: what is counted where."""

from __future__ import annotations

import numpy as np
import pytest

from twinbeam.images import PAIR_IMAGES, Axes, ImageParameters, Images, count_bins, count_pixels
from twinbeam.pairs import Cut, Pairs, SelectedPairs, Selection
from twinbeam.photons import Photons
from twinbeam.physics import Geometry

G = Geometry()
SELECTION = Selection(
    cuts=(
        Cut(quantity="energy_sum_kev", low=8.0, high=19.0),
        Cut(quantity="dp_px", low=0.0, high=5.0),
        Cut(quantity="detuning_deg", low=0.0358, high=0.0442),
        Cut(quantity="dt_ns", low=-60.0, high=60.0),
    )
)


def random_pairs(seed: int, n: int = 4000) -> Pairs:
    """Rows around the cuts, so that each cut rejects some."""
    rng = np.random.default_rng(seed)
    x1, x2 = rng.uniform(-5, 520, (2, n))
    y1, y2 = rng.uniform(258, 520, n), rng.uniform(-5, 258, n)
    columns = {
        "dt_ns": 1.5625 * rng.integers(-160, 161, n),
        "x1": x1,
        "y1": y1,
        "x2": x2,
        "y2": y2,
        "e1": rng.uniform(3, 12, n),
        "e2": rng.uniform(3, 12, n),
        "r1": np.hypot(x1 - 258, y1 - 258),
        "r2": np.hypot(x2 - 258, y2 - 258),
        "detuning_deg": rng.uniform(0.032, 0.05, n),
        "dp_px": rng.uniform(0, 8, n),
        "replica": rng.choice([0, 1, -1, 2, -2], n),
    }
    return Pairs(**{name: columns.get(name, np.arange(n)) for name in Pairs.DTYPES})


def images() -> Images:
    return Images(Axes.of(ImageParameters(), G, 250.0), G)


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    return random_pairs(1)


@pytest.fixture(scope="module")
def arrays(pairs: Pairs) -> dict[str, np.ndarray]:
    filled = images()
    filled.add_pairs(pairs, SelectedPairs(pairs, SELECTION))
    return dict(filled.copy_arrays())


@pytest.mark.parametrize("suffix", ["", "_accidental"])
def test_images_hold_the_pairs_that_pass_all_cuts(pairs: Pairs, arrays, suffix: str) -> None:
    group = (pairs.replica == 0) if not suffix else (pairs.replica != 0)
    kept = pairs[SelectedPairs(pairs, SELECTION).passed & group]
    assert len(kept) > 30
    assert np.array_equal(arrays["signal" + suffix], count_pixels(kept.x1, kept.y1, 514))
    assert np.array_equal(arrays["idler" + suffix], count_pixels(kept.x2, kept.y2, 514))
    both = arrays["signal" + suffix] + arrays["idler" + suffix]
    assert np.array_equal(arrays["coincidence" + suffix], both)


@pytest.mark.parametrize("suffix", ["", "_accidental"])
@pytest.mark.parametrize(("name", "column"), [("dt", "dt_ns"), ("detuning", "detuning_deg")])
def test_histograms_leave_out_their_own_cut(
    pairs: Pairs, arrays, name: str, column: str, suffix: str
) -> None:
    group = (pairs.replica == 0) if not suffix else (pairs.replica != 0)
    others = Selection(cuts=tuple(c for c in SELECTION.cuts if c.quantity != column))
    kept = pairs[SelectedPairs(pairs, others).passed & group]
    axes = images().axes
    edges = axes.dt_ns if name == "dt" else axes.detuning_deg
    assert np.array_equal(arrays[name + suffix], count_bins(getattr(kept, column), edges))
    inside = SelectedPairs(pairs, SELECTION).passed & group
    assert arrays[name + suffix].sum() > np.count_nonzero(inside)


def test_all_arrays_are_integers(arrays) -> None:
    assert {array.dtype for array in arrays.values()} == {np.dtype(np.int64)}
    names = {f"{n}{s}" for n in (*PAIR_IMAGES, "dt", "detuning") for s in ("", "_accidental")}
    assert set(arrays) == names | {"singles", "energy"}


def test_pieces_add_up_to_the_whole(pairs: Pairs, arrays) -> None:
    filled = images()
    for i in range(0, len(pairs), 333):
        piece = pairs[i : i + 333]
        filled.add_pairs(piece, SelectedPairs(piece, SELECTION))
    assert all(np.array_equal(array, arrays[k]) for k, array in filled.copy_arrays().items())


def test_photons_are_counted_in_singles_and_spectrum() -> None:
    filled = images()
    n = 3
    filled.add_photons(
        Photons(np.arange(n), [0.4, 0.6, 513.4], [7, 7, 7], [0.3, 15.1, 99.0], *np.ones((3, n)))
    )
    filled.add_photons(Photons.empty())
    arrays = filled.copy_arrays()
    assert np.argwhere(arrays["singles"]).tolist() == [[7, 0], [7, 1], [7, 513]]
    assert np.flatnonzero(arrays["energy"]).tolist() == [1, 60]


def test_a_copy_does_not_change_any_more(pairs: Pairs) -> None:
    filled = images()
    before = filled.copy_arrays()
    filled.add_pairs(pairs, SelectedPairs(pairs, SELECTION))
    assert before["coincidence"].sum() == 0
