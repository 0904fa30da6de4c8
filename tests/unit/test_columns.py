from __future__ import annotations

import numpy as np
import pytest

from twinbeam.tpx3 import Hits


def table(n: int, first: int = 0) -> Hits:
    k = np.arange(first, first + n)
    return Hits(k, k % 512, k % 7, 25 * (k % 9), k % 4)


def test_columns_have_the_declared_types() -> None:
    for name, column in table(3).columns().items():
        assert column.dtype == Hits.DTYPES[name]
        assert column.flags.c_contiguous


def test_rows_by_slice_mask_and_index() -> None:
    hits = table(10)
    assert hits[2:5].t.tolist() == [2, 3, 4]
    assert hits[hits.t > 7].x.tolist() == [8, 9]
    assert hits[np.array([3, 1])].t.tolist() == [3, 1]
    assert len(hits[::2]) == 5


def test_concatenation_keeps_all_rows_in_order() -> None:
    parts = [table(3), Hits.empty(), table(4, 3)]
    assert Hits.concatenate(parts).equals(table(7))
    assert len(Hits.concatenate([])) == len(Hits.concatenate([Hits.empty()])) == 0
    one = table(3)
    assert Hits.concatenate([Hits.empty(), one]) is one


def test_equality_is_bit_for_bit() -> None:
    assert table(5).equals(table(5))
    assert not table(5).equals(table(4))
    assert not table(5).equals(table(5, 1))


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="columns of Hits differ in length"):
        Hits(np.zeros(3), np.zeros(3), np.zeros(2), np.zeros(3), np.zeros(3))
    with pytest.raises(ValueError, match="differ in length"):
        Hits(*np.zeros((5, 2, 2)))


def test_a_table_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        table(2).t = np.zeros(2)  # type: ignore[misc]
