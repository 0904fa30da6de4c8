"""Struct-of-arrays tables: the one shape in which hits, photons and pairs travel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas
    import pyarrow

__all__ = ["Columns"]


@dataclass(frozen=True, eq=False)
class Columns:
    """Equally long one-dimensional arrays with fixed names and dtypes.

    Subclasses declare one field a column and its dtype in `DTYPES`, in the same order.
    """

    DTYPES: ClassVar[Mapping[str, np.dtype[Any]]]

    def __post_init__(self) -> None:
        lengths = set()
        for name, dtype in self.DTYPES.items():
            column = np.ascontiguousarray(getattr(self, name), dtype=dtype)
            object.__setattr__(self, name, column)
            lengths.add(column.shape)
        if len(lengths) > 1 or any(len(shape) != 1 for shape in lengths):
            shapes = {name: getattr(self, name).shape for name in self.DTYPES}
            raise ValueError(f"columns of {type(self).__name__} differ in length: {shapes}")

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def __getitem__(self, index: slice | NDArray[Any]) -> Self:
        """Rows by slice, boolean mask or integer array."""
        return type(self)(**{name: getattr(self, name)[index] for name in self.DTYPES})

    def columns(self) -> dict[str, NDArray[Any]]:
        """All columns by name, in order."""
        return {name: getattr(self, name) for name in self.DTYPES}

    def to_pandas(self) -> pandas.DataFrame:
        """The same as a data frame with memory of its own, one row each."""
        import pandas

        return pandas.DataFrame(self.columns(), copy=True)

    def to_arrow(self) -> pyarrow.Table:
        """The same as an Arrow table; numbers share the memory of this table."""
        import pyarrow

        return pyarrow.table(self.columns())

    def to_structured(self) -> NDArray[np.void]:
        """The same as a numpy array of records with a field a column, in memory of its own."""
        records = np.empty(len(self), dtype=list(self.DTYPES.items()))
        for name, column in self.columns().items():
            records[name] = column
        return records

    def equals(self, other: Self) -> bool:
        """Whether every column is bit-identical to the other table's."""
        return all(
            getattr(self, name).tobytes() == getattr(other, name).tobytes() for name in self.DTYPES
        )

    @classmethod
    def empty(cls) -> Self:
        """A table with no rows."""
        return cls(**{name: np.empty(0, dtype) for name, dtype in cls.DTYPES.items()})

    @classmethod
    def concatenate(cls, tables: Iterable[Self]) -> Self:
        """Rows of all tables, one after the other."""
        parts = [table for table in tables if len(table)]
        if not parts:
            return cls.empty()
        if len(parts) == 1:
            return parts[0]
        return cls(
            **{name: np.concatenate([getattr(p, name) for p in parts]) for name in cls.DTYPES}
        )
