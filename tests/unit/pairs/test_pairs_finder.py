"""Pairs of a stream of photons: complete, and the same for any cutting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from photon_lists import find, photons_at, places, random_photons, seeds

from twinbeam.pairs import PairFinder, Pairing, Pairs, Replicas, replica_shifts
from twinbeam.photons import Photons
from twinbeam.physics import Geometry
from twinbeam.tpx3 import TICK_NS

EXAMPLES = settings(max_examples=40, deadline=None, database=None)


@EXAMPLES
@given(seeds)
def test_all_pairs_are_found(seed: int) -> None:
    photons = random_photons(seed)
    pairs, _ = find(photons)
    energy = photons.energy_kev
    tried = (energy >= 2.5) & (energy <= 12.5)
    signal, idler = photons[tried & (photons.y >= 258)], photons[tried & (photons.y < 258)]
    turns, shifts = replica_shifts(Replicas(n_turns=2))
    expected = []
    for turn, shift in zip(turns, shifts, strict=True):
        dt = (idler.t[None, :] + shift - signal.t[:, None]) * TICK_NS
        for i, j in zip(*np.nonzero(np.abs(dt) <= 250.0), strict=True):
            expected.append((signal.t[i], turn, dt[i, j], signal.tot_ns[i], idler.tot_ns[j]))
    found = zip(pairs.t, pairs.replica, pairs.dt_ns, pairs.tot1, pairs.tot2, strict=True)
    assert sorted(found) == sorted(expected)
    assert np.all(np.diff(pairs.t) >= 0.0)


@EXAMPLES
@given(seeds, places)
def test_any_cutting_gives_the_same_pairs_and_counts(seed: int, where: list[int]) -> None:
    photons = random_photons(seed)
    whole, finder = find(photons)
    pieces, again = find(photons, where)
    assert pieces.equals(whole)
    assert (again.n_signal, again.n_idler, again.rejected) == (
        finder.n_signal,
        finder.n_idler,
        finder.rejected,
    )
    used = finder.n_signal + finder.n_idler
    assert used + sum(finder.rejected.values()) == finder.n_in == len(photons)


def test_all_partners_are_kept_not_only_the_nearest() -> None:
    idlers = [0.0, 5.0, -7.0, 100.0]
    photons = photons_at([1.0, *idlers], 300.0, [400.0, 100.0, 101.0, 102.0, 103.0])
    pairs, _ = find(photons)
    prompt = pairs[pairs.replica == 0]
    assert prompt.y2.tolist() == [102.0, 100.0, 101.0, 103.0]
    assert prompt.dt_ns.tolist() == [(t - 1.0) * TICK_NS for t in sorted(idlers)]


def test_photons_of_one_half_are_no_pair() -> None:
    pairs, _ = find(photons_at([0.0, 1.0], [100.0, 400.0], [300.0, 400.0]))
    assert len(pairs) == 0


@pytest.mark.parametrize("n_turns", [-2, -1, 1, 2])
def test_replicas_carry_their_turns(n_turns: int) -> None:
    shift = round(n_turns * 2641.69 / TICK_NS)
    pairs, _ = find(photons_at([10_000.0, 10_000.0 - shift + 4.0], 300.0, [400.0, 100.0]))
    assert pairs.replica.tolist() == [n_turns]
    assert pairs.dt_ns.tolist() == [4.0 * TICK_NS]


def remembered(finder: PairFinder) -> int:
    """Bytes of the photons that still matter."""
    return sum(len(part) for part in finder.state())


def test_memory_is_bounded_by_the_reach_of_the_replicas() -> None:
    finder = PairFinder(Pairing(), Replicas(), Geometry())
    finder.feed(photons_at(0.0, 300.0, [400.0]), -np.inf)
    bytes_a_photon = remembered(finder)
    assert bytes_a_photon > 0
    n = 1000
    for i in range(50):
        t = 100.0 * (i * n + np.arange(n))
        y = np.where(np.arange(n) % 2, 400.0, 100.0)
        finder.feed(photons_at(t, 300.0, y), float(t[-1]))
        assert remembered(finder) < 600 * bytes_a_photon
    assert finder.n_in == 50 * n + 1


def test_crowded_photons_are_accounted_for() -> None:
    flash = photons_at(np.zeros(300), 300.0, np.where(np.arange(300) % 2, 400.0, 100.0))
    pairs, finder = find(flash)
    assert len(pairs) == 0
    assert finder.rejected == {"energy_low": 0, "energy_high": 0, "crowded": 150}
    assert (finder.n_signal, finder.n_idler) == (0, 150)


def test_no_photons_no_pairs() -> None:
    finder = PairFinder(Pairing(), Replicas(), Geometry())
    assert len(finder.feed(Photons.empty(), -np.inf)) == 0
    assert len(finder.feed(Photons.empty(), np.inf)) == 0
    assert set(Pairs.DTYPES) == set(Pairs.empty().columns())


@pytest.mark.parametrize(("window", "turn"), [(50.0, 101.0), (1320.8, 2641.69), (0.3, 1.01)])
def test_copies_that_overlap_when_shifts_are_rounded_are_refused(
    window: float, turn: float
) -> None:
    with pytest.raises(ValueError, match="turn"):
        PairFinder(Pairing(window_ns=window), Replicas(turn_ns=turn), Geometry())
