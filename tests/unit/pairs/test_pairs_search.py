"""All coincidences, against comparing all with all."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbeam.pairs import Replicas, coincidences, most_partners, replica_shifts

sixteenths = st.lists(st.integers(-(2**14), 2**14), max_size=40).map(
    lambda v: np.sort(np.array(v, dtype=np.float64)) / 16
)
NO_SHIFT = np.zeros(1)


@settings(max_examples=60, deadline=None, database=None)
@given(
    sixteenths,
    sixteenths,
    st.lists(st.integers(-8000, 8000), min_size=1, max_size=5),
    st.integers(1, 6000),
)
def test_all_coincidences_are_found(signal, idler, shifts: list[int], window: int) -> None:
    shift = np.array(shifts) / 16
    found, crowded = coincidences(signal, idler, shift, window / 16)
    expected = [
        (i, j, k)
        for i in range(signal.size)
        for k in range(shift.size)
        for j in range(idler.size)
        if abs(idler[j] + shift[k] - signal[i]) <= window / 16
    ]
    assert list(zip(*(index.tolist() for index in found), strict=True)) == expected
    assert crowded == 0


def test_the_window_includes_its_borders() -> None:
    idler = np.array([-10.0625, -10.0, 10.0, 10.0625])
    (_, j, _), _ = coincidences(np.zeros(1), idler, NO_SHIFT, 10.0)
    assert j.tolist() == [1, 2]


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_nothing_comes_of_nothing(order: list[int]) -> None:
    lists = [np.empty(0), np.zeros(5)]
    found, crowded = coincidences(lists[order[0]], lists[order[1]], NO_SHIFT, 10.0)
    assert found[0].size == crowded == 0


def test_a_flash_makes_no_pairs_and_does_not_touch_the_photons_around_it() -> None:
    most = most_partners(160.0)
    signal = np.array([0.0, 1000.0, 5000.0])
    idler = np.concatenate(([3.0], np.full(most + 1, 1000.0), [5004.0]))
    (i, j, _), crowded = coincidences(signal, idler, NO_SHIFT, 160.0)
    assert (i.tolist(), j.tolist(), crowded) == ([0, 2], [0, most + 2], 1)


def test_as_many_partners_as_a_detector_can_give_are_kept() -> None:
    most = most_partners(160.0)
    found, crowded = coincidences(np.zeros(1), np.zeros(most), NO_SHIFT, 160.0)
    assert (found[0].size, crowded) == (most, 0)


def test_the_bound_on_partners_grows_with_the_window() -> None:
    # far above a quad's 27 million photons per second and half
    assert most_partners(160.0) == 64
    assert most_partners(64_000.0) == 20_000


def test_a_signal_crowded_in_one_replica_is_left_out_of_all() -> None:
    idler = np.concatenate(([0.0], np.full(65, 2000.0)))
    found, crowded = coincidences(np.zeros(1), idler, np.array([0.0, -2000.0]), 160.0)
    assert (found[0].size, crowded) == (0, 1)


def test_a_flash_takes_no_time() -> None:
    flash = np.full(100_000, 5.0)
    coincidences(flash[:1], flash[:1], NO_SHIFT, 160.0)
    began = time.process_time()
    _, crowded = coincidences(flash, flash, replica_shifts(Replicas())[1], 160.0)
    assert time.process_time() - began < 2.0
    assert crowded == flash.size


def test_shifts_are_whole_turns_in_whole_ticks() -> None:
    turns, shifts = replica_shifts(Replicas(turn_ns=2641.69, n_turns=3))
    assert turns.tolist() == [0, 1, -1, 2, -2, 3, -3]
    assert np.array_equal(shifts, np.round(shifts))
    # each shift is rounded by itself, so the error does not grow with the number of turns
    assert np.abs(shifts * 1.5625 - turns * 2641.69).max() <= 1.5625 / 2
    assert shifts[1] == -shifts[2]
