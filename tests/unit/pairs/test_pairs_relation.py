"""Any relation plugs in; the pipeline's own search finds the pairs of the SPDC relation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from photon_lists import find, places, random_photons, seeds

from twinbeam.columns import Columns
from twinbeam.pairs import (
    BackToBack,
    Cut,
    Pairing,
    Replicas,
    SelectedPairs,
    Selection,
    SharedCounts,
    SharedPhotons,
    TurnShifts,
    estimate_relation,
    region_map,
    related,
    shared_counts,
)
from twinbeam.physics import Geometry

EXAMPLES = settings(max_examples=30, deadline=None, database=None)
REPLICAS = Replicas(n_turns=2)
LOOSE = Selection(
    cuts=(
        Cut(quantity="energy_sum_kev", low=6.0, high=26.0),
        Cut(quantity="dp_px", low=0.0, high=200.0),
    )
)


@EXAMPLES
@given(seeds)
def test_the_compiled_search_finds_the_pairs_of_the_relation(seed: int) -> None:
    photons = random_photons(seed, 150)
    relation = BackToBack(Pairing(), LOOSE, Geometry())
    one, two, turns = related(photons, relation, TurnShifts(REPLICAS))
    pairs, _ = find(photons)
    kept = pairs[SelectedPairs(pairs, LOOSE).passed]
    expected = zip(kept.t, kept.tot1, kept.tot2, kept.replica, strict=True)
    found = zip(photons.t[one], photons.tot_ns[one], photons.tot_ns[two], turns, strict=True)
    assert sorted(found) == sorted(expected)


def test_a_map_of_regions_takes_the_place_of_the_half() -> None:
    photons = random_photons(7, 400)
    y, x = np.mgrid[:514, :514]
    regions = region_map((y > 300) & (x < 200), (y < 200) & (x > 300))
    relation = BackToBack(Pairing(), LOOSE, Geometry(), regions)
    one, two, _ = related(photons, relation, TurnShifts(REPLICAS))
    assert one.size > 0
    assert (photons.y[one] > 300).all()
    assert (photons.x[two] > 300).all()


@EXAMPLES
@given(seeds, places)
def test_shared_photons_are_counted_the_same_for_any_cutting(seed: int, where: list[int]) -> None:
    photons = random_photons(seed, 200)
    pairs, _ = find(photons)
    relation = BackToBack(Pairing(), Selection(cuts=()), Geometry())
    by_index = estimate_relation(photons, relation, TurnShifts(REPLICAS)).shared
    assert shared_counts(pairs, REPLICAS) == by_index
    shared = SharedPhotons(REPLICAS, Pairing())
    borders = sorted({0, len(pairs), *(p % (len(pairs) + 1) for p in where)})
    for a, b in pairwise(borders):
        shared.add(pairs[a:b])
        shared.counts()  # a snapshot changes nothing
    assert shared.counts() == by_index


def test_shared_photons_are_forgotten_when_they_can_have_no_further_pair() -> None:
    shared = SharedPhotons(REPLICAS, Pairing())
    for i in range(30):
        photons = random_photons(i, 400, 12_000)
        pairs, _ = find(photons)
        late = type(pairs)(**{**pairs.columns(), "t": pairs.t + 12_000.0 * i})
        shared.add(late[np.argsort(late.t, kind="stable")])
    shared.counts()
    # two turns and the window are 3542 ticks, a third of one of the thirty lists
    assert len(shared._idler._open) < 300
    assert len(shared._signal._open) <= 2


def test_acquisitions_do_not_share_photons() -> None:
    pairs, _ = find(random_photons(3, 300))
    once = shared_counts(pairs, REPLICAS)
    assert once.mixed > 0
    shared = SharedPhotons(REPLICAS, Pairing())
    shared.add(pairs)
    shared.next_acquisition()
    shared.add(pairs)
    assert shared.counts() == once + once
    other = SharedPhotons(REPLICAS, Pairing())
    other.add(pairs)
    shared.merge(other)
    assert shared.counts() == once + once + once
    assert SharedPhotons(REPLICAS, Pairing()).counts() == SharedCounts()


# --- cross-talk of a SPAD array: time tags, pixel distance, far-window replica ---


@dataclass(frozen=True, eq=False)
class SpadTags(Columns):
    """Time tags in picoseconds of a line of pixels."""

    t: np.ndarray
    pixel: np.ndarray

    DTYPES: ClassVar = {"t": np.dtype(np.float64), "pixel": np.dtype(np.int32)}


class CrossTalk:
    """A pixel fires right after one at a given distance."""

    def __init__(self, distance: int, window: float) -> None:
        self.window = window
        self._distance = distance

    def regions(self, tags: SpadTags) -> np.ndarray:
        return np.full(len(tags), 3, np.uint8)

    def holds(self, first: SpadTags, second: SpadTags, dt: np.ndarray) -> np.ndarray:
        return (second.pixel - first.pixel) == self._distance


class FarWindows:
    """Shifts far beyond any correlation, for light that does not pulse."""

    def shifts(self) -> tuple[np.ndarray, np.ndarray]:
        label = np.array([0, *range(1, 9), *range(-8, 0)], np.int32)
        return label, label * 1e5


def test_cross_talk_by_pixel_distance() -> None:
    rng = np.random.default_rng(12)
    n, span, crosstalk = 300_000, 1e11, 0.0022
    t, pixel = rng.uniform(0.0, span, n), rng.integers(0, 64, n)
    talks = rng.random(n) < crosstalk
    t = np.concatenate((t, t[talks] + 40.0 * rng.standard_normal(talks.sum())))
    pixel = np.concatenate((pixel, pixel[talks] + 1))
    order = np.argsort(t, kind="stable")
    tags = SpadTags(t[order], pixel[order])
    near = estimate_relation(tags, CrossTalk(1, 200.0), FarWindows())
    far = estimate_relation(tags, CrossTalk(7, 200.0), FarWindows())
    assert near.net == pytest.approx(talks.sum(), abs=4.0 * near.net_err)
    assert near.net / n == pytest.approx(crosstalk, rel=0.15)
    assert near.significance > 15.0
    assert far.net == pytest.approx(0.0, abs=4.0 * far.net_err)


# --- twin beams on a camera: photons of one frame, next-frame replica ---


@dataclass(frozen=True, eq=False)
class FramePhotons(Columns):
    """Photons of photon-number frames; the time is the number of the frame."""

    t: np.ndarray
    x: np.ndarray

    DTYPES: ClassVar = {"t": np.dtype(np.float64), "x": np.dtype(np.int32)}


class SumCoordinate:
    """Same frame, x₁ + x₂ at twice the centre; photon 1 is left of it."""

    window = 0.0

    def regions(self, photons: FramePhotons) -> np.ndarray:
        return np.where(photons.x < 50, 1, 2).astype(np.uint8)

    def holds(self, first: FramePhotons, second: FramePhotons, dt: np.ndarray) -> np.ndarray:
        return (dt == 0.0) & (first.x + second.x == 99)


class NextFrame:
    """The frame after."""

    def shifts(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array([0, 1], np.int32), np.array([0.0, -1.0])


def test_twin_beams_by_frames() -> None:
    rng = np.random.default_rng(13)
    frames, pairs, noise = 4000, 6000, 20_000
    x = rng.integers(0, 50, pairs)
    frame = rng.integers(0, frames, pairs)
    t = np.concatenate((frame, frame, rng.integers(0, frames, noise)))
    place = np.concatenate((x, 99 - x, rng.integers(0, 100, noise)))
    order = np.argsort(t, kind="stable")
    found = estimate_relation(FramePhotons(t[order], place[order]), SumCoordinate(), NextFrame())
    assert found.net == pytest.approx(pairs, abs=4.0 * found.net_err)
    assert found.net_err < 0.05 * pairs
    assert math.isfinite(found.significance)
