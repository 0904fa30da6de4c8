"""Order, late hits and jumps are properties of the stream, not of its cutting."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photon_streams import hits_of, places, split

from twinbeam.photons import ColumnOffset, PackedHits, TimeOrder
from twinbeam.photons._arrival_kernel import MOST
from twinbeam.photons.response import column_offset_table
from twinbeam.tpx3 import Hits, chip_of, to_chip

HOLD = 1000


def at(*times: int) -> Hits:
    return hits_of([(t, 300, 300, 10) for t in times])


def order(*pieces: Hits, hold: int = HOLD) -> tuple[list[int], dict[str, int]]:
    """Times that come out, and what was rejected; checks the promise about what is to come."""
    orderer = TimeOrder(hold)
    out: list[int] = []
    lowest = np.iinfo(np.int64).min
    for piece in pieces:
        for ready, bound in orderer.push(piece):
            assert bound >= lowest
            assert np.all(ready.t >= lowest)
            assert np.all(ready.t < bound)
            lowest = bound
            out += ready.t.tolist()
    for rest, _ in orderer.finish():
        assert np.all(rest.t >= lowest)
        out += rest.t.tolist()
    assert orderer.n_held == 0
    assert len(out) + sum(orderer.rejected.values()) == sum(len(piece) for piece in pieces)
    assert out == sorted(out)
    return out, {reason: n for reason, n in orderer.rejected.items() if n}


def finished(orderer: TimeOrder) -> PackedHits:
    """What was still waiting, when that is one batch."""
    ((rest, _),) = orderer.finish()
    return rest


@settings(max_examples=60, deadline=None, database=None)
@given(st.lists(st.integers(0, 5 * HOLD), max_size=60), places)
def test_any_cutting_gives_the_same_hits_and_rejections(times: list[int], where: list[int]) -> None:
    hits = at(*times)
    assert order(*split(hits, where)) == order(hits)


@settings(max_examples=60, deadline=None, database=None)
@given(st.lists(st.integers(0, HOLD), min_size=1, max_size=60), st.integers(0, 30 * HOLD))
def test_nothing_is_rejected_when_disorder_stays_within_the_hold(
    delays: list[int], gap: int
) -> None:
    times = [gap * i + delay for i, delay in enumerate(delays)]
    assert order(at(*times)) == (sorted(times), {})


def test_late_hits_are_counted_and_left_out() -> None:
    assert order(at(0, 1000, 2000, 1000, 999, 2001)) == ([0, 1000, 1000, 2000, 2001], {"late": 1})


def test_hits_of_one_tick_are_ordered_by_place_then_by_tot() -> None:
    hits = hits_of([(5, 9, 1, 4), (5, 2, 7, 2), (5, 3, 1, 3), (5, 9, 1, 1)])
    orderer = TimeOrder(HOLD)
    orderer.push(hits)
    rest = finished(orderer)
    assert rest.tot_ns.tolist() == [75, 25, 100, 50]
    assert rest.x.tolist() == [3, 9, 9, 2]
    assert rest.y.tolist() == [1, 1, 1, 7]


@settings(max_examples=60, deadline=None, database=None)
@given(
    st.lists(
        st.tuples(
            st.integers(-(2**40), 2**40),
            st.integers(0, 511),
            st.integers(0, 511),
            st.integers(0, 1023),
        ),
        max_size=30,
    )
)
def test_packing_loses_nothing(rows: list[tuple[int, int, int, int]]) -> None:
    orderer = TimeOrder(2**34)
    found = [batch.to_hits() for batch, _ in [*orderer.push(hits_of(rows)), *orderer.finish()]]
    out = Hits.concatenate(found)
    kept = sorted(zip(out.t, out.y, out.x, out.tot_ns // 25, out.chip, strict=True))
    given_rows = {(t, y, x, tot, int(chip_of(x, y))) for t, x, y, tot in rows}
    assert set(kept) <= given_rows
    assert len(kept) == len(rows) - sum(orderer.rejected.values())


def test_offsets_of_columns_are_taken_off_before_hits_are_put_in_order() -> None:
    table = column_offset_table((ColumnOffset(chip=0, first=97, last=101, ticks=16),))
    chip, column = to_chip(np.arange(512), np.zeros(512, int))[:2]
    late = (chip == 0) & (column >= 194) & (column <= 203)
    hits = hits_of([(1000 + 16 * bool(late[x]), x, 7, 9) for x in range(512)])
    orderer = TimeOrder(HOLD, table)
    orderer.push(hits)
    assert np.all(finished(orderer).t == 1000)
    assert late.sum() == 10
    # the same columns of another chip keep their times
    assert not np.any(table[1])


@pytest.mark.parametrize("n_wrong", [1, 5, 15])
def test_hits_from_the_future_cost_only_themselves(n_wrong: int) -> None:
    good = list(range(0, 20_000, 100))
    wrong = [50 * HOLD + 7 * i for i in range(n_wrong)]
    found = order(at(*good[:100], *wrong, *good[100:]))
    assert found == (good, {"astray": n_wrong})


def test_a_first_hit_from_the_future_costs_only_itself() -> None:
    good = list(range(0, 20_000, 100))
    assert order(at(10**9, *good)) == (good, {"astray": 1})


def test_a_hit_from_the_past_costs_only_itself() -> None:
    good = list(range(0, 20_000, 100))
    assert order(at(*good[:150], -(10**9), *good[150:])) == (good, {"late": 1})


@pytest.mark.parametrize("n_wrong", [17, 500])
def test_a_chip_whose_clock_is_off_does_not_lead_the_others(n_wrong: int) -> None:
    good = hits_of([(10 * i, 300 if i % 3 else 10, 40, 9) for i in range(4000)])
    wrong = hits_of([(10**9 + i, 300, 400, 9) for i in range(n_wrong)])
    both = [good[:2000], wrong, good[2000:]]
    assert order(*both) == (good.t.tolist(), {"astray": n_wrong})
    assert order(Hits.concatenate(both)) == order(*both)


def test_small_wrong_steps_do_not_lead_to_larger_ones() -> None:
    rng = np.random.default_rng(1)
    good = 4 * np.arange(20_000)
    t = good + np.where(rng.random(20_000) < 0.01, 2 ** rng.integers(4, 20, 20_000), 0)
    found, rejected = order(at(*t.tolist()))
    assert len(found) > 0.97 * t.size
    assert rejected["astray"] < 200


def test_a_true_gap_is_believed() -> None:
    times = [*range(0, 5000, 100), *range(10**9, 10**9 + 5000, 100)]
    assert order(at(*times)) == (times, {})


def test_a_sparse_stream_of_jumps_is_believed() -> None:
    times = [10 * HOLD * i for i in range(500)]
    assert order(at(*times)) == (times, {})
    wrong = [*times[:250], 10**12, *times[250:]]
    assert order(at(*wrong)) == (times, {"astray": 1})


def test_jumps_at_the_end_of_the_stream_are_not_lost() -> None:
    orderer = TimeOrder(HOLD)
    assert orderer.push(at(0, 10**9)) == []
    assert orderer.n_held == 2
    assert finished(orderer).t.tolist() == [0, 10**9]


def test_gaps_longer_than_the_words_can_hold_are_bridged() -> None:
    times = [0, 100, 2**36, 2**36 + 5, 2**41, 2**41 + 1, 2**50]
    orderer = TimeOrder(HOLD)
    batches = [*orderer.push(at(*times)), *orderer.finish()]
    assert [t for batch, _ in batches for t in batch.t.tolist()] == times


def test_before_the_first_hit_nothing_is_promised() -> None:
    assert TimeOrder(HOLD).push(Hits.empty()) == []


def test_a_clock_that_stands_still_is_bounded_in_memory_and_time() -> None:
    n = 500_000
    flood = Hits(np.zeros(n), np.full(n, 3), np.full(n, 4), np.full(n, 250), np.zeros(n))
    TimeOrder(3_200_000).push(flood[:10])  # compiled
    orderer = TimeOrder(3_200_000)
    began = time.process_time()
    for _ in range(10):
        orderer.push(flood)
    assert time.process_time() - began < 5.0
    assert orderer.n_held <= MOST
    assert orderer.rejected["crowded"] == 10 * n - orderer.n_held
    released = orderer.push(at(*range(10**7, 2 * 10**7, 10**5)))
    n_first = sum(np.count_nonzero(batch.t == 0) for batch, _ in released)
    n_first += int(np.count_nonzero(finished(orderer).t == 0))
    assert n_first == MOST
    assert orderer.rejected["late"] == orderer.rejected["astray"] == 0
