"""Images of pairs: what is counted where."""

from __future__ import annotations

import numpy as np
import pytest

from twinbeam.errors import RecipeError
from twinbeam.images import (
    PAIR_IMAGES,
    Axes,
    ImageParameters,
    Images,
    Sums,
    count_bins,
    count_pixels,
    net_array,
    sharpened_pair,
)
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


def images(**parameters: object) -> Images:
    return Images(Axes.of(ImageParameters.model_validate(parameters), G, 250.0), G)


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
    profiles = [f"{a}_{b}" for a in ("radial", "azimuth") for b in ("signal", "idler")]
    of_pairs = (*PAIR_IMAGES, "dt", "detuning", "detuning_exact", *profiles, "e1_e2", "r1_r2")
    names = {name + suffix for name in of_pairs for suffix in ("", "_accidental")}
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


def filled_with(pairs: Pairs, **parameters: object) -> dict[str, np.ndarray]:
    filled = images(**parameters)
    filled.add_pairs(pairs, SelectedPairs(pairs, SELECTION))
    return dict(filled.copy_arrays())


def test_candidates_that_fail_two_cuts_may_be_left_out(pairs: Pairs, arrays) -> None:
    fails = np.zeros(len(pairs), int)
    for cut in SELECTION.cuts:
        values = pairs.quantity(cut.quantity)
        fails += ~((values >= cut.low) & (values <= cut.high))
    assert np.count_nonzero(fails > 1) > 1000
    few = filled_with(pairs[fails <= 1])
    assert all(np.array_equal(array, arrays[name]) for name, array in few.items())


@pytest.mark.parametrize("bin_px", [2, 4, 7])
def test_binned_images_are_sums_of_pixels(pairs: Pairs, arrays, bin_px: int) -> None:
    binned = filled_with(pairs, bin_px=bin_px)
    side = -(-514 // bin_px)
    for name in (*PAIR_IMAGES, "singles"):
        padded = np.zeros((side * bin_px,) * 2, int)
        padded[:514, :514] = arrays[name]
        sums = padded.reshape(side, bin_px, side, bin_px).sum(axis=(1, 3))
        assert np.array_equal(binned[name], sums), name


@pytest.mark.parametrize("slice_by", ["geometric", "radius", "tot"])
def test_slices_share_out_the_images(pairs: Pairs, slice_by: str) -> None:
    edges = (0.0, 6.0, 7.5, 15.1)
    sliced = filled_with(pairs, slices_kev=edges, slice_by=slice_by)
    names = {"geometric": "e{}_geometric_kev", "radius": "e{}_radius_kev", "tot": "e{}"}[slice_by]
    kept = pairs[SelectedPairs(pairs, SELECTION).passed & (pairs.replica == 0)]
    for n, name in (("1", "signal"), ("2", "idler")):
        stack = sliced[f"{name}_slices"]
        assert stack.shape == (3, 514, 514)
        assert np.array_equal(stack.sum(axis=0), sliced[name])
        energy = kept.quantity(names.format(n), G)
        inside = kept[(energy >= 6.0) & (energy < 7.5)]
        x, y = getattr(inside, f"x{n}"), getattr(inside, f"y{n}")
        assert np.array_equal(stack[1], count_pixels(x, y, 514))
        assert stack[1].sum() > 0


def test_symmetric_images(pairs: Pairs) -> None:
    found = filled_with(pairs, symmetric=True)
    kept = pairs[SelectedPairs(pairs, SELECTION).passed & (pairs.replica == 0)]
    x1, y1, x2, y2 = sharpened_pair(kept, G)
    assert np.array_equal(found["signal_symmetric"], count_pixels(x1, y1, 514))
    assert np.array_equal(found["idler_symmetric"], count_pixels(x2, y2, 514))


def test_profiles_and_maps(pairs: Pairs, arrays) -> None:
    axes = images().axes
    kept = pairs[SelectedPairs(pairs, SELECTION).passed & (pairs.replica == 0)]
    assert np.array_equal(arrays["radial_idler"], np.histogram(kept.r2, axes.radius_px)[0])
    azimuth = np.degrees(np.arctan2(kept.y1 - 258, kept.x1 - 258))
    expected = np.histogram(azimuth, axes.azimuth_deg)[0]
    assert np.array_equal(arrays["azimuth_signal"], expected)
    edges = axes.map_radius_px
    expected = np.histogram2d(kept.r2, kept.r1, (edges, edges))[0]
    assert np.array_equal(arrays["r1_r2"], expected)
    edges = axes.map_energy_kev
    assert np.array_equal(arrays["e1_e2"], np.histogram2d(kept.e2, kept.e1, (edges, edges))[0])
    exact = kept.quantity("detuning_exact_deg", G)
    assert arrays["detuning_exact"].sum() >= count_bins(exact, axes.detuning_deg).sum() > 0
    without = images(profiles=False, correlation_maps=False).copy_arrays()
    assert not [name for name in without if name.startswith(("radial", "azimuth", "e1", "r1"))]


def test_merging_adds(pairs: Pairs, arrays) -> None:
    one, two = images(), images()
    for half, part in ((one, pairs[:1234]), (two, pairs[1234:])):
        half.add_pairs(part, SelectedPairs(part, SELECTION))
    one.merge(two)
    assert all(np.array_equal(array, arrays[k]) for k, array in one.copy_arrays().items())
    one.merge(images().copy_arrays())
    assert all(np.array_equal(array, arrays[k]) for k, array in one.copy_arrays().items())


@pytest.mark.parametrize(
    "other", [{"bin_px": 2}, {"symmetric": True}, {"dt_bin_ns": 12.5}, {"energy_bin_kev": 0.5}]
)
def test_other_axes_cannot_be_merged(other: dict[str, object]) -> None:
    with pytest.raises(RecipeError, match="cannot be merged"):
        images().merge(images(**other))
    if "dt_bin_ns" not in other:
        before = images()
        with pytest.raises(RecipeError, match="cannot be merged: "):
            before.merge(images(**other).copy_arrays())
        assert not any(array.any() for array in before.copy_arrays().values())


def test_edges_of_the_same_number_but_other_places_are_other_axes() -> None:
    moved = Images(Axes.of(ImageParameters(), Geometry(detuning_deg=0.041), 250.0), G)
    with pytest.raises(RecipeError, match="different axes"):
        images().merge(moved)


class CountPairs(Sums):
    """A reducer of another people: how many pairs there were."""

    def __init__(self, name: str = "n_pairs") -> None:
        super().__init__({name: np.zeros(1, np.int64)})
        self._name = name

    def add_pairs(self, pairs: Pairs, selected: SelectedPairs) -> None:
        self._arrays[self._name] += np.count_nonzero(selected.passed)


def test_another_reducer_plugs_in(pairs: Pairs) -> None:
    axes = Axes.of(ImageParameters(), G, 250.0)
    filled = Images(axes, G, CountPairs())
    selected = SelectedPairs(pairs, SELECTION)
    filled.add_pairs(pairs, selected)
    assert filled.copy_arrays()["n_pairs"][0] == np.count_nonzero(selected.passed)
    with pytest.raises(ValueError, match="two reducers have an array called singles"):
        Images(axes, G, CountPairs("singles"))


def test_net_arrays(arrays) -> None:
    net, variance = net_array(arrays, "coincidence", 20)
    total = arrays["coincidence"].sum(), arrays["coincidence_accidental"].sum()
    assert net.sum() == pytest.approx(total[0] - total[1] / 20)
    assert variance.sum() == pytest.approx(total[0] + total[1] / 400)
    with pytest.raises(KeyError):
        net_array(arrays, "singles", 20)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"slices_kev": (5.0,)}, "two edges or more"),
        ({"slices_kev": (5.0, 5.0)}, "must grow"),
        ({"distance": True, "distance_delay_ns": 150.0}, "must exceed twice"),
        ({"bin_px": 0}, "bin_px"),
    ],
)
def test_contradictions_are_recipe_errors(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        ImageParameters.from_mapping(wrong)
