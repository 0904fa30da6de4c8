"""What is different between two results."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbeam.replay.pair_comparison import PairDifference, compare_pairs
from twinbeam.replay.result_content import Number, ResultContent

__all__ = ["ArrayDifference", "Comparison", "NumberDifference", "ValueDifference", "compare"]


@dataclass(frozen=True)
class ValueDifference:
    """A value of the recipe or a count of the ledger; None where there is none.

    Attributes
    ----------
    name
        Its place, with dots.
    a, b
        What it is in both.
    """

    name: str
    a: Any
    b: Any


@dataclass(frozen=True)
class NumberDifference:
    """A number with its error; None where there is none.

    Attributes
    ----------
    name
        What it is, with its unit.
    a, a_err, b, b_err
        The number in both.
    """

    name: str
    a: float | None
    a_err: float | None
    b: float | None
    b_err: float | None

    @property
    def difference(self) -> float | None:
        """B minus A."""
        return None if self.a is None or self.b is None else self.b - self.a

    @property
    def in_errors(self) -> float | None:
        """The difference over the larger error: two results of the same data share their noise."""
        errors = [error for error in (self.a_err, self.b_err) if error]
        return self.difference / max(errors) if self.difference is not None and errors else None


@dataclass(frozen=True)
class ArrayDifference:
    """An image or histogram that is not the same in both.

    Attributes
    ----------
    name
        Its name.
    shape_a, shape_b
        None where it is missing.
    bins
        How many bins differ; None when the shapes do.
    largest
        The largest difference of a bin, B minus A.
    at
        Index of that bin.
    sum_a, sum_b
        All counts.
    """

    name: str
    shape_a: tuple[int, ...] | None
    shape_b: tuple[int, ...] | None
    bins: int | None = None
    largest: int | None = None
    at: tuple[int, ...] | None = None
    sum_a: int | None = None
    sum_b: int | None = None


@dataclass(frozen=True)
class Comparison:
    """All differences of two results.

    Attributes
    ----------
    a, b
        Names of the results.
    hash_a, hash_b
        Hashes of their recipes.
    recipe, ledger
        Values that differ, the recipe field by field. Recipes of equal hash have no differences.
    numbers
        Estimates that differ, with their errors.
    arrays
        Images and histograms that differ.
    equal_arrays
        Number of those that are bit-identical.
    pairs
        The pair tables.
    """

    a: str
    b: str
    hash_a: str
    hash_b: str
    recipe: tuple[ValueDifference, ...]
    ledger: tuple[ValueDifference, ...]
    numbers: tuple[NumberDifference, ...]
    arrays: tuple[ArrayDifference, ...]
    equal_arrays: int
    pairs: PairDifference

    @property
    def identical(self) -> bool:
        """Whether recipe, ledger, every array and the pair table are the same, bit for bit."""
        same_recipe = self.hash_a == self.hash_b
        return same_recipe and not (self.ledger or self.arrays) and self.pairs.identical

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        values = dataclasses.asdict(self)
        for shown, number in zip(values["numbers"], self.numbers, strict=True):
            shown["difference"], shown["in_errors"] = number.difference, number.in_errors
        return {"identical": self.identical, **values}


def compare(a: ResultContent, b: ResultContent) -> Comparison:
    """Find all differences; neither result is changed."""
    arrays = [
        found
        for name in sorted(set(a.arrays) | set(b.arrays))
        if (found := _array_difference(name, a.arrays.get(name), b.arrays.get(name))) is not None
    ]
    same_recipe = a.recipe_hash == b.recipe_hash
    return Comparison(
        a=a.name,
        b=b.name,
        hash_a=a.recipe_hash,
        hash_b=b.recipe_hash,
        recipe=() if same_recipe else _value_differences(a.recipe, b.recipe),
        ledger=_value_differences(a.ledger, b.ledger, missing=0),
        numbers=_number_differences(a.numbers, b.numbers),
        arrays=tuple(arrays),
        equal_arrays=len(set(a.arrays) | set(b.arrays)) - len(arrays),
        pairs=compare_pairs(a.pairs, b.pairs),
    )


def _value_differences(
    a: Mapping[str, Any], b: Mapping[str, Any], missing: Any = None
) -> tuple[ValueDifference, ...]:
    flat_a, flat_b = _flat(a), _flat(b)
    return tuple(
        ValueDifference(name, flat_a.get(name, missing), flat_b.get(name, missing))
        for name in {**flat_a, **flat_b}
        if flat_a.get(name, missing) != flat_b.get(name, missing)
    )


def _flat(values: Mapping[str, Any], place: str = "") -> dict[str, Any]:
    """Values by their place, with dots; the members of a list of groups by what names them."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        here = f"{place}{key}"
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{here}."))
        elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
            seen: dict[str, int] = {}
            for number, member in enumerate(value):
                name = str(member.get("quantity", member.get("name", number)))
                seen[name] = seen.get(name, 0) + 1
                again = f" ({seen[name]})" if seen[name] > 1 else ""
                flat.update(_flat(member, f"{here}[{name}{again}]."))
        else:
            flat[here] = list(value) if isinstance(value, tuple) else value
    return flat


def _number_differences(
    a: Mapping[str, Number], b: Mapping[str, Number]
) -> tuple[NumberDifference, ...]:
    """Numbers that both can have and that differ."""
    return tuple(
        NumberDifference(name, *a[name], *b[name])
        for name in a
        if name in b and a[name][0] != b[name][0]
    )


def _array_difference(
    name: str, a: NDArray[Any] | None, b: NDArray[Any] | None
) -> ArrayDifference | None:
    shape_a, shape_b = (None if array is None else array.shape for array in (a, b))
    sum_a, sum_b = (None if array is None else int(array.sum()) for array in (a, b))
    if a is None or b is None or a.shape != b.shape:
        return ArrayDifference(name, shape_a, shape_b, sum_a=sum_a, sum_b=sum_b)
    difference = b.astype(np.int64) - a.astype(np.int64)
    bins = int(np.count_nonzero(difference))
    if not bins:
        return None
    at = np.unravel_index(int(np.argmax(np.abs(difference))), difference.shape)
    return ArrayDifference(
        name,
        shape_a,
        shape_b,
        bins,
        int(difference[at]),
        tuple(int(i) for i in at),
        sum_a,
        sum_b,
    )
