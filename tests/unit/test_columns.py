from __future__ import annotations

import numpy as np
import pytest

from twinbeam.tpx3 import Hits, TdcEdges


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


def test_a_table_becomes_a_data_frame_with_memory_of_its_own() -> None:
    hits = table(6)
    frame = hits.to_pandas()
    assert list(frame.columns) == list(Hits.DTYPES)
    assert {name: frame[name].dtype for name in frame} == dict(Hits.DTYPES)
    assert frame.index.tolist() == list(range(6))
    frame.loc[0, "t"] = 77
    assert hits.t.tolist() == list(range(6))
    assert len(Hits.empty().to_pandas()) == 0


def test_a_table_becomes_an_arrow_table_of_the_same_memory() -> None:
    hits = table(6)
    arrow = hits.to_arrow()
    assert arrow.column_names == list(Hits.DTYPES)
    for name, column in hits.columns().items():
        assert arrow[name].to_numpy().dtype == column.dtype
        assert arrow[name].to_pylist() == column.tolist()
    (chunk,) = arrow["t"].chunks
    assert chunk.buffers()[1].address == hits.t.ctypes.data
    edges = TdcEdges(np.arange(3), np.ones(3), np.array([True, False, True]), np.arange(3))
    assert edges.to_arrow()["rising"].to_pylist() == [True, False, True]
    assert Hits.empty().to_arrow().num_rows == 0


def test_a_table_becomes_records() -> None:
    hits = table(6)
    records = hits.to_structured()
    assert records.shape == (6,)
    assert records.dtype.names == tuple(Hits.DTYPES)
    for name, column in hits.columns().items():
        assert records.dtype[name] == column.dtype
        assert records[name].tolist() == column.tolist()
    records["t"] = 0
    assert hits.t[5] == 5
    assert Hits.empty().to_structured().shape == (0,)
