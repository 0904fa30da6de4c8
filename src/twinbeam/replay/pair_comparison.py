"""Which pairs are in one of two tables and not in the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ColumnChange", "PairDifference", "compare_pairs"]

_PHOTONS = ("t", "x1", "y1", "x2", "y2", "replica")  # what makes two rows the same two photons


@dataclass(frozen=True)
class ColumnChange:
    """A column that differs in pairs that are in both tables.

    Attributes
    ----------
    name
        The column.
    pairs
        In how many pairs it differs.
    largest
        The largest difference, B minus A.
    """

    name: str
    pairs: int
    largest: float


@dataclass(frozen=True)
class PairDifference:
    """Two pair tables beside each other.

    Attributes
    ----------
    n_a, n_b
        Pairs in them, prompt and accidental.
    identical
        Whether the tables are bit-identical, the order of their rows included.
    only_a, only_b
        Pairs of photons that are in one table and not in the other: prompt and accidental.
    changed
        Pairs of the same two photons of which other values differ.
    columns
        What differs in those.
    missing
        Columns that only one table has.
    """

    n_a: int
    n_b: int
    identical: bool
    only_a: tuple[int, int]
    only_b: tuple[int, int]
    changed: int
    columns: tuple[ColumnChange, ...]
    missing: tuple[str, ...]


def compare_pairs(a: Mapping[str, NDArray[Any]], b: Mapping[str, NDArray[Any]]) -> PairDifference:
    """Compare two tables of pairs, each a mapping of equally long columns.

    Two rows are of the same photons when time, both places and replica are bit-identical.
    """
    names = [name for name in a if name in b]
    missing = tuple(sorted(set(a) ^ set(b)))
    n_a, n_b = (len(next(iter(table.values()), ())) for table in (a, b))
    identical = (
        not missing
        and n_a == n_b
        and all(np.asarray(a[name]).tobytes() == np.asarray(b[name]).tobytes() for name in names)
    )
    rows_a, rows_b = np.arange(n_a), np.arange(n_b)
    if not identical and names:
        same_a, same_b = _matched(_keys(a, names, rows_a), _keys(b, names, rows_b))
        rows_a, rows_b = np.delete(rows_a, same_a), np.delete(rows_b, same_b)
    photons = [name for name in _PHOTONS if name in names]
    if identical or not photons:
        changed_a = changed_b = np.empty(0, np.int64)
        if identical:
            rows_a = rows_b = changed_a
    else:
        left_a, left_b = _matched(_keys(a, photons, rows_a), _keys(b, photons, rows_b))
        changed_a, changed_b = rows_a[left_a], rows_b[left_b]
        rows_a, rows_b = np.delete(rows_a, left_a), np.delete(rows_b, left_b)
    return PairDifference(
        n_a=n_a,
        n_b=n_b,
        identical=identical,
        only_a=_by_kind(a, rows_a),
        only_b=_by_kind(b, rows_b),
        changed=len(changed_a),
        columns=_changes(a, b, names, changed_a, changed_b),
        missing=missing,
    )


def _keys(
    table: Mapping[str, NDArray[Any]], names: Sequence[str], rows: NDArray[Any]
) -> NDArray[np.void]:
    """The bytes of some columns of some rows, one value a row."""
    columns = [np.ascontiguousarray(np.asarray(table[name])[rows]) for name in names]
    parts = [column.view(np.uint8).reshape(len(rows), column.dtype.itemsize) for column in columns]
    joined = np.ascontiguousarray(np.concatenate(parts, axis=1))
    return joined.view(np.dtype((np.void, joined.shape[1]))).reshape(len(rows))


def _matched(a: NDArray[np.void], b: NDArray[np.void]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Places of equal values in both, each used once, in the order of the values."""
    if not len(a) or not len(b) or a.dtype != b.dtype:
        nothing = np.empty(0, np.intp)
        return nothing, nothing
    _, group = np.unique(np.concatenate((a, b)), return_inverse=True)
    group = group.reshape(-1)
    group_a, group_b = group[: len(a)], group[len(a) :]
    order_a, order_b = (np.argsort(part, kind="stable") for part in (group_a, group_b))
    keys: list[NDArray[np.intp]] = []
    for part, order in ((group_a, order_a), (group_b, order_b)):
        ordered = part[order]
        new = np.ones(len(ordered), dtype=bool)
        new[1:] = ordered[1:] != ordered[:-1]
        start = np.flatnonzero(new)
        nth = np.arange(len(ordered)) - np.repeat(start, np.diff([*start, len(ordered)]))
        keys.append(ordered * (max(len(a), len(b)) + 1) + nth)
    _, at_a, at_b = np.intersect1d(keys[0], keys[1], assume_unique=True, return_indices=True)
    return order_a[at_a], order_b[at_b]


def _by_kind(table: Mapping[str, NDArray[Any]], rows: NDArray[Any]) -> tuple[int, int]:
    """Prompt pairs and others among some rows."""
    if "replica" not in table:
        return len(rows), 0
    prompt = int(np.count_nonzero(np.asarray(table["replica"])[rows] == 0))
    return prompt, len(rows) - prompt


def _changes(
    a: Mapping[str, NDArray[Any]],
    b: Mapping[str, NDArray[Any]],
    names: Sequence[str],
    rows_a: NDArray[Any],
    rows_b: NDArray[Any],
) -> tuple[ColumnChange, ...]:
    changes = []
    for name in names:
        difference = np.asarray(b[name])[rows_b].astype(np.float64) - np.asarray(a[name])[rows_a]
        n = int(np.count_nonzero(difference))
        if n:
            largest = float(difference[np.argmax(np.abs(difference))])
            changes.append(ColumnChange(name, n, largest))
    return tuple(changes)
