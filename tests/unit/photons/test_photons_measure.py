"""Time, place, energy and flags of single photons."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photon_streams import crowded_hits, find, hits_of, seeds

from twinbeam.photons import (
    Clustering,
    PhotonFinder,
    PhotonFlag,
    Photons,
    Response,
    energy_by_tot_kev,
    walk_by_tot_ticks,
)
from twinbeam.physics import energy_from_tot_kev, tot_from_energy_ns
from twinbeam.tpx3 import TICK_NS

ABCT = (25.77, 170.0, 150.0, 2.0)


def photon(*rows: tuple[int, int, int, int], gap_px: int = 2) -> Photons:
    photons, _ = find([hits_of(list(rows))], gap_px=gap_px)
    assert len(photons) == 1
    return photons


def walk_ticks(tot_ns: float) -> float:
    return 167.0 * np.exp(-0.016 * tot_ns) / TICK_NS


def test_energy_is_the_sum_of_the_hits_energies_not_that_of_their_tot() -> None:
    shared = photon((0, 10, 10, 13), (3, 11, 10, 14))
    each = energy_from_tot_kev([325.0, 350.0], *ABCT)
    assert shared.energy_kev[0] == pytest.approx(each.sum(), rel=1e-6)
    assert shared.tot_ns[0] == 675
    assert abs(shared.energy_kev[0] - energy_from_tot_kev(675.0, *ABCT)) > 3.0


@settings(max_examples=20, deadline=None, database=None)
@given(seeds)
def test_energy_and_tot_are_conserved(seed: int) -> None:
    hits = crowded_hits(seed)
    photons, finder = find([hits])
    table = energy_by_tot_kev(Response())
    kept = hits[hits.tot_ns > 0]
    repeated = finder.rejected["repeated"]
    if not repeated:
        assert photons.tot_ns.sum() == kept.tot_ns.sum()
        total = table[kept.tot_ns // 25].sum()
        assert photons.energy_kev.astype(float).sum() == pytest.approx(total, rel=1e-5)


def test_the_place_is_the_centroid_weighted_by_energy() -> None:
    found = photon((0, 10, 20, 8), (1, 11, 20, 16), (2, 11, 21, 12))
    e = energy_from_tot_kev(np.array([200.0, 400.0, 300.0]), *ABCT)
    assert found.x[0] == pytest.approx(np.dot(e, [10, 11, 11]) / e.sum(), rel=1e-6)
    assert found.y[0] == pytest.approx(np.dot(e, [20, 20, 21]) / e.sum(), rel=1e-6)


@pytest.mark.parametrize(
    ("pixel", "place"), [(0, 0), (254, 254), (255, 255), (256, 258), (511, 513)]
)
def test_the_gap_lies_between_the_chips(pixel: int, place: int) -> None:
    found = photon((0, pixel, 511 - pixel, 10))
    assert found.x[0] == place
    assert found.y[0] == 513 - place
    assert photon((0, pixel, 7, 10), gap_px=0).x[0] == pixel


@pytest.mark.parametrize(
    ("x", "y", "tot", "flags"),
    [
        (100, 100, 10, 0),
        (255, 100, 10, PhotonFlag.TOUCHES_GAP),
        (256, 100, 10, PhotonFlag.TOUCHES_GAP),
        (100, 255, 10, PhotonFlag.TOUCHES_GAP),
        (257, 254, 10, 0),
        (100, 100, 1021, 0),
        (100, 100, 1022, PhotonFlag.SATURATED),
        (256, 256, 1023, PhotonFlag.TOUCHES_GAP | PhotonFlag.SATURATED),
    ],
)
def test_flags(x: int, y: int, tot: int, flags: int) -> None:
    assert photon((0, x, y, tot)).flags[0] == flags


def test_a_photon_across_the_gap_touches_it() -> None:
    found = photon((0, 255, 100, 10), (1, 256, 100, 10))
    assert (found.x[0], found.flags[0]) == (256.5, PhotonFlag.TOUCHES_GAP)


def test_the_time_is_that_of_the_largest_hit_without_its_timewalk() -> None:
    found = photon((1000, 10, 10, 14), (1040, 11, 10, 5))
    assert found.t[0] == pytest.approx(1000 - walk_ticks(350.0), abs=1 / 32)
    found = photon((1000, 10, 10, 4), (1040, 11, 10, 14))
    assert found.t[0] == pytest.approx(1040 - walk_ticks(350.0), abs=1 / 32)


def test_of_equal_hits_the_first_gives_the_time() -> None:
    assert photon((1000, 10, 10, 9), (1007, 11, 10, 9)).t[0] < 1000


def test_timewalk_puts_simultaneous_photons_together() -> None:
    tots = np.array([2, 6, 10, 20])
    late = np.floor(10_000 + walk_ticks(25.0 * tots)).astype(int)
    rows = np.stack([late, [0, 50, 100, 150], [7] * 4, tots], axis=1)
    photons, _ = find([hits_of(rows.tolist())])
    assert np.ptp(late) > 40
    assert np.ptp(photons.t) <= 1.0 + 1 / 16


def test_times_are_on_a_grid_so_that_differences_are_exact() -> None:
    walk = walk_by_tot_ticks(Response())
    assert np.array_equal(walk * 16, np.round(walk * 16))
    assert np.allclose(walk, walk_ticks(25.0 * np.arange(1024)), atol=1 / 32)


@settings(max_examples=40, deadline=None, database=None)
@given(st.floats(3.0, 100.0))
def test_the_table_inverts_the_response_to_one_step_of_tot(energy: float) -> None:
    step = int(tot_from_energy_ns(energy, *ABCT) // 25)
    if step < 1023:
        table = energy_by_tot_kev(Response())
        assert table[step] <= energy <= table[step + 1]


def test_a_hit_to_which_the_response_gives_no_energy_keeps_its_place() -> None:
    linear = Response(a_ns_per_kev=25.0, b_ns=170.0, c_ns_kev=0.0, t_kev=0.0)
    finder = PhotonFinder(Clustering(), linear)
    finder.feed(hits_of([(0, 10, 10, 2), (1, 11, 10, 2), (500, 90, 90, 1)]))
    photons = finder.finish()
    assert photons.x.tolist() == [10.5, 90.0]
    assert np.all(photons.energy_kev < 0.01)
    assert np.all(photons.energy_kev > 0.0)
