"""Candidates that are only counted: the same counts and pairs as from the table of all of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photon_lists import photons_at, seeds

from twinbeam.pairs import (
    Cut,
    PairFinder,
    Pairing,
    Pairs,
    Replicas,
    SelectedPairs,
    Selection,
    coincidences,
    measure_pairs,
    replica_shifts,
    split_halves,
)
from twinbeam.photons import Photons
from twinbeam.physics import Geometry
from twinbeam.tpx3 import TICK_NS

GEOMETRY = Geometry()
SUM = Cut(quantity="energy_sum_kev", low=8.0, high=19.0)
DP = Cut(quantity="dp_px", low=0.0, high=40.0)
DT = Cut(quantity="dt_ns", low=-60.0, high=60.0)
AZIMUTH = Cut(quantity="azimuth_deg", low=-90.0, high=90.0)  # not known without the table
TOT = Cut(quantity="tot2", low=0.0, high=500.0)  # nor is that
CUTS: dict[str, tuple[Cut, ...]] = {
    "usual": (SUM, DP, Cut(quantity="detuning_deg", low=0.3, high=1.9, relative=True), DT),
    "dp has a lower bound": (SUM, Cut(quantity="dp_px", low=3.0, high=40.0), DT),
    "dp can never pass": (SUM, Cut(quantity="dp_px", low=-5.0, high=-1.0), DT),
    "dp is zero": (SUM, Cut(quantity="dp_px", low=0.0, high=0.0)),
    "unknown before time": (SUM, DP, AZIMUTH, DT, Cut(quantity="e1", low=4.0, high=9.0)),
    "unknown first": (AZIMUTH, DP, SUM, Cut(quantity="r1", low=20.0, high=150.0)),
    "other order": (DP, SUM, TOT, Cut(quantity="r2", low=9.0, high=99.0)),
    "one": (DP,),
}
# window and turn in ns: usual, as wide as can be, a few ticks; whole turns and halves are hit
TIMES = [(250.0, 2641.69), (1320.0, 2641.69), (50.0, 101.6), (1.0, 3.6)]


def all_candidates(photons: Photons, pairing: Pairing, replicas: Replicas) -> Pairs:
    """The table of all candidates, by the plain search."""
    halves = split_halves(photons, pairing, GEOMETRY)[:2]
    one, two = (h[np.lexsort((h.energy_kev, h.x, h.y, h.t))] for h in halves)
    turns, shifts = replica_shifts(replicas)
    index, _ = coincidences(one.t, two.t, shifts, pairing.window_ns / TICK_NS)
    return measure_pairs(one, two, index, turns, shifts, GEOMETRY)


@pytest.mark.parametrize("name", CUTS)
@settings(max_examples=25, deadline=None, database=None)
@given(
    seed=seeds,
    times=st.sampled_from(TIMES),
    n_turns=st.sampled_from([1, 3, 40]),
    span=st.sampled_from([50, 2000, 100_000]),
    n_pieces=st.integers(1, 5),
)
def test_counted_candidates_are_those_of_the_table(
    name: str, seed: int, times: tuple[float, float], n_turns: int, span: int, n_pieces: int
) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 400))
    t = rng.integers(0, 16 * span, n) / 16
    x, y = rng.uniform(100, 400, (2, n))
    photons = photons_at(t, x, y, rng.uniform(2, 13, n).astype(np.float32))
    pairing = Pairing(window_ns=times[0])
    replicas = Replicas(turn_ns=times[1], n_turns=n_turns)
    selection = Selection(cuts=CUTS[name])
    finder = PairFinder(pairing, replicas, GEOMETRY, selection)
    parts = []
    for rows in np.array_split(np.arange(n), n_pieces):
        bound = photons.t[rows[-1] + 1] if rows.size and rows[-1] + 1 < n else photons.t[-1]
        parts.append(finder.feed(photons[rows], float(bound) if rows.size else -np.inf))
    parts.append(finder.feed(Photons.empty(), np.inf))
    found = Pairs.concatenate(parts)

    expected = all_candidates(photons, pairing, replicas)
    prompt = int(np.count_nonzero(expected.replica == 0))
    assert finder.candidates.tolist() == [prompt, len(expected) - prompt]
    ours = SelectedPairs(found, selection, GEOMETRY)
    theirs = SelectedPairs(expected, selection, GEOMETRY)
    for k, cut in enumerate(selection.cuts):
        for kind, what in enumerate(("rejected", "rejected_replicas")):
            counted = getattr(ours, what)[cut.quantity] + finder.dropped[kind, k]
            assert counted == getattr(theirs, what)[cut.quantity]
    assert found[ours.passed].equals(expected[theirs.passed])
