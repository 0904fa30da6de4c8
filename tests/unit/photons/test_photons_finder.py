"""Photons of a stream of hits: the same for any cutting, and every hit accounted for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from photon_streams import DATA, crowded_hits, find, hits_of, places, seeds, split

from twinbeam.photons import Clustering, PhotonFinder, Photons, Response, pixel_rules
from twinbeam.photons._arrival_kernel import MOST
from twinbeam.physics import Geometry
from twinbeam.tpx3 import Hits, chip_of, iterate_file, read_hits

EXAMPLES = settings(max_examples=40, deadline=None, database=None)
CHX = DATA / "chx" / "chx_serval_4_3.tpx3"


@EXAMPLES
@given(seeds, places)
def test_any_cutting_gives_the_same_photons_and_rejections(seed: int, where: list[int]) -> None:
    hits = crowded_hits(seed)
    whole, finder = find([hits], reorder_ms=0.001)
    pieces, again = find(split(hits, where), reorder_ms=0.001)
    assert pieces.equals(whole)
    assert again.rejected == finder.rejected
    assert finder.rejected["late"] + finder.rejected["astray"] > 0
    assert finder.n_used == whole.n_hits.sum()
    assert finder.n_used + sum(finder.rejected.values()) == finder.n_in == len(hits)


@EXAMPLES
@given(seeds, places)
def test_any_cutting_gives_the_same_photons_when_clusters_are_long(
    seed: int, where: list[int]
) -> None:
    hits = crowded_hits(seed, 400)
    long = {"reorder_ms": 0.004, "longest_us": 0.5, "window_ns": 300.0}
    assert find(split(hits, where), **long)[0].equals(find([hits], **long)[0])


@EXAMPLES
@given(seeds, places)
def test_photons_come_in_order_and_never_before_the_promised_time(
    seed: int, where: list[int]
) -> None:
    finder = PhotonFinder(Clustering(reorder_ms=0.002), Response())
    bound = -np.inf
    times: list[float] = []
    for piece in split(crowded_hits(seed), where):
        photons, limit = finder.feed(piece)
        assert limit >= bound
        assert np.all(photons.t >= bound)
        assert np.all(photons.t < limit)
        assert finder.n_in == finder.n_used + finder.n_held + sum(finder.rejected.values())
        bound = limit
        times += photons.t.tolist()
    rest = finder.finish().t
    assert np.all(rest >= bound)
    assert [*times, *rest] == sorted([*times, *rest])
    assert finder.n_held == finder.n_pending == 0


def test_rejected_hits_take_no_part() -> None:
    masked = np.zeros((512, 512), dtype=bool)
    masked[20, 10] = True  # y, x
    rows = [(0, 10, 20, 10), (1, 20, 10, 10), (1, 20, 10, 12), (2, 30, 30, 0), (3, 40, 40, 5)]
    finder = PhotonFinder(Clustering(), Response(), 2, pixel_rules(Geometry(), masked))
    finder.feed(hits_of(rows))
    photons = finder.finish()
    # the smaller pulse crossed the threshold later than it came
    assert photons.x.tolist() == [40.0, 20.0]
    assert photons.tot_ns.tolist() == [125, 250]
    assert {reason: n for reason, n in finder.rejected.items() if n} == {
        "repeated": 1,
        "zero_tot": 1,
        "masked": 1,
    }


def test_a_masked_bridge_does_not_join() -> None:
    masked = np.zeros((512, 512), dtype=bool)
    masked[7, 11] = True
    finder = PhotonFinder(Clustering(), Response(), 2, pixel_rules(Geometry(), masked))
    finder.feed(hits_of([(0, 10, 7, 9), (1, 11, 7, 9), (2, 12, 7, 9)]))
    assert finder.finish().n_hits.tolist() == [1, 1]


@pytest.mark.parametrize(("late_by", "n_photons"), [(128, 47), (129, 48)])
def test_the_last_hit_that_can_still_join_is_waited_for(late_by: int, n_photons: int) -> None:
    # 1 µs of hold is 640 ticks and the window 128, so the first photon is open up to tick 768
    steps = [(t, 20 + t // 10, 90, 9) for t in (150, 300, 450, 600, 700, 640 + late_by)]
    before = [(5 * i - 200, 400 - 200 * (i % 2), 2 * i, 9) for i in range(40)]
    first = hits_of([*before, (0, 10, 10, 9), *steps])
    last = hits_of([(late_by, 11, 10, 9)])
    photons, finder = find([first, last], reorder_ms=0.001)
    assert (len(photons), finder.rejected["late"]) == (n_photons, 0)


def test_no_hit_is_lost_in_a_crowd_before_a_long_gap() -> None:
    # open photons, crowded hits for longer than the hold, then a jump beyond 107 s
    n = MOST
    rng = np.random.default_rng(0)
    t = np.sort(rng.integers(1000, 400_000, n))
    t[-50:] = 399_950 + np.arange(50)
    x, y = rng.integers(0, 512, (2, n))
    crowd = Hits(t, x, y, np.full(n, 250), chip_of(x, y))
    m = np.arange(1, 21)
    more = Hits(400_000 + 35 * m, 0 * m + 9, 0 * m + 9, 0 * m + 250, 0 * m + 3)
    k = np.arange(1200)
    far = Hits(3 * 2**36 + 2**35 + 2000 * k, 37 * k % 512, 0 * k + 77, 0 * k + 250, 0 * k)
    finder = PhotonFinder(Clustering(reorder_ms=0.001), Response())
    photons = [finder.feed(part)[0] for part in (Hits.concatenate([crowd, more]), far)]
    photons.append(finder.finish())
    assert sum(p.n_hits.sum() for p in photons) == finder.n_used
    assert finder.n_used + sum(finder.rejected.values()) == n + 20 + 1200
    assert finder.rejected["crowded"] > 0


def test_no_hits_no_photons() -> None:
    finder = PhotonFinder(Clustering(), Response())
    photons, _ = finder.feed(Hits.empty())
    assert len(photons) == len(finder.finish()) == 0


def test_endless_clusters_are_bounded_in_memory() -> None:
    finder = PhotonFinder(Clustering(), Response())
    n = 50_000
    for i in range(20):  # three neighbours that fire in turn every 78 ns
        k = np.arange(i * n, (i + 1) * n)
        finder.feed(Hits(50 * k, 10 + k % 3, np.full(n, 7), np.full(n, 250), np.full(n, 3)))
    assert finder.n_held < 80_000  # 5 ms of hold
    finder.finish()
    assert finder.n_used == 20 * n


def test_photons_of_the_chx_file() -> None:
    if not CHX.exists():
        pytest.skip("recorded files are not at hand")
    photons, finder = find([read_hits(CHX)])
    assert len(photons) == pytest.approx(2074, rel=2e-3)
    assert np.bincount(photons.n_hits)[1:3] == pytest.approx([1284, 731], rel=5e-3)
    assert sum(finder.rejected.values()) == 0
    quartiles = np.percentile(photons.tot_ns, [25, 75])
    assert quartiles == pytest.approx([1300, 1675], rel=0.02)


def test_photons_of_the_chx_file_do_not_depend_on_blocks() -> None:
    if not CHX.exists():
        pytest.skip("recorded files are not at hand")
    hits = read_hits(CHX)
    pieces = split(hits, list(range(0, len(hits), 97)))
    assert find(pieces)[0].equals(find([hits])[0])
    assert sum(len(block) for block in iterate_file(CHX, 999)) == CHX.stat().st_size


def test_photons_are_columns() -> None:
    assert set(Photons.DTYPES) == set(Photons.empty().columns())
