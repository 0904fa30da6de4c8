"""Raw Timepix3 files as a table of hits, for tiled, decoded when read."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import dask
import dask.array
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from tiled.adapters.array import ArrayAdapter
from tiled.adapters.core import Adapter
from tiled.adapters.utils import init_adapter_from_catalog
from tiled.storage import FileStorage, Storage
from tiled.structures.core import Spec, StructureFamily
from tiled.structures.table import TableStructure
from tiled.utils import path_from_uri

from twinbeam.columns import Columns
from twinbeam.errors import StorageError
from twinbeam.store._file_marks import FileMark
from twinbeam.store._raw_parts import (
    PART_BYTES,
    KeptStates,
    Part,
    PartReader,
    Stream,
    parts_of,
)
from twinbeam.tpx3 import Decoder, Hits, WordKind

__all__ = ["RAW_MIMETYPE", "RawHitsAdapter", "RawTableAdapter", "table_structure"]

RAW_MIMETYPE = "application/x-tpx3"
_WHOLE_BYTES = 1 << 30  # raw bytes that are decoded for one answer at most

_kept_hits = KeptStates(64)  # half a megabyte each


def table_structure(columns: type[Columns], n_parts: int) -> TableStructure:
    """Columns of a table of ours in so many partitions."""
    fields = [(name, pa.from_numpy_dtype(dtype)) for name, dtype in columns.DTYPES.items()]
    return TableStructure.from_schema(pa.schema(fields), npartitions=n_parts)


class HitStream:
    """Bytes → hits."""

    def __init__(self, decoder: Decoder | None = None) -> None:
        self._decoder = decoder or Decoder()

    @property
    def rows(self) -> int:
        """Hits so far."""
        return self._decoder.census().count(WordKind.PIXEL)

    def fork(self) -> HitStream:
        """Another one that goes on from here."""
        return HitStream(self._decoder.fork())

    def skip(self, block: bytes) -> None:
        """Take bytes whose hits are not wanted."""
        self._decoder.skim(block)

    def take(self, block: bytes) -> Hits:
        """Hits of the next bytes."""
        return self._decoder.feed(block)

    def finish(self) -> Hits:
        """No hit is held back."""
        return Hits.empty()


class RawTableAdapter(Adapter[TableStructure]):
    """A table that is made from the raw files of one acquisition when it is read.

    The rows of all partitions are on one clock: what is read of a part of the files is what reading
    all of them gives for it. A part begins with the state in which the one before it ended, which
    is kept; without it the files before are read for their clock alone, once.

    Parameters
    ----------
    data_uris
        File URIs of the raw files, in their order.
    structure
        Structure kept in the catalogue.
    sizes, ends
        Size of each file and SHA-256 of its ends when it was registered; without them the files
        are taken as they are, a partition each.
    part_bytes
        Raw bytes a partition.
    metadata, specs
        Of the node, as tiled gives them.
    """

    structure_family = StructureFamily.table
    columns: ClassVar[type[Columns]]

    def __init__(
        self,
        data_uris: Sequence[str],
        structure: TableStructure | None = None,
        *,
        sizes: Sequence[int] | None = None,
        ends: Sequence[str] = (),
        part_bytes: int = PART_BYTES,
        metadata: Any = None,
        specs: list[Spec] | None = None,
    ) -> None:
        paths = [path_from_uri(uri) for uri in data_uris]
        marks: list[FileMark | None] = [None] * len(paths)
        if sizes is not None:
            marks = [FileMark(*mark) for mark in zip(sizes, ends, strict=True)]
            self._parts = parts_of(sizes, part_bytes)
        else:
            self._parts = tuple(
                Part(file, 0, path.stat().st_size if path.is_file() else 0)
                for file, path in enumerate(paths)
            )
        self._bytes = sum(part.end - part.begin for part in self._parts)
        super().__init__(
            structure or table_structure(self.columns, len(self._parts)),
            metadata=metadata,
            specs=specs,
        )
        self._reader = PartReader(
            paths, marks, self._parts, self._fresh, self._kind(), self._kept()
        )

    @abstractmethod
    def _fresh(self) -> Stream:
        """A stream that has read nothing yet."""

    @abstractmethod
    def _kind(self) -> str:
        """What its states are kept under."""

    @abstractmethod
    def _kept(self) -> KeptStates:
        """Where states between the parts are kept."""

    @classmethod
    def supported_storage(cls) -> set[type[Storage]]:
        """Files only."""
        return {FileStorage}

    @classmethod
    def from_catalog(cls, data_source: Any, node: Any, /, **parameters: Any) -> Self:
        """The adapter of a node of the catalogue."""
        return init_adapter_from_catalog(cls, data_source, node, **parameters)

    @classmethod
    def from_uris(cls, *data_uris: str, **parameters: Any) -> Self:
        """The adapter of files by their URIs."""
        return cls(data_uris, **parameters)

    def read_partition(self, partition: int, fields: Sequence[str] | None = None) -> pd.DataFrame:
        """Rows of one part of the files, all columns or some."""
        return self._frame(self._reader.read(partition), fields)

    def read(self, fields: Sequence[str] | None = None) -> pd.DataFrame:
        """Rows of all files, all columns or some.

        Raises
        ------
        StorageError
            If the files are too large to be read in one go.
        """
        if self._bytes > _WHOLE_BYTES:
            raise StorageError(
                f"{self._bytes:,} raw bytes are too many to be read in one go",
                hint="read the table by partitions, or slices of single columns",
            )
        pieces = [piece for part in range(len(self._parts)) for piece in self._reader.read(part)]
        return self._frame(pieces, fields)

    def get(self, key: str) -> ArrayAdapter | None:
        """One column over all files, of which slices are read by the parts they are in."""
        if key not in self.columns.DTYPES:
            return None
        dtype = self.columns.DTYPES[key]
        chunks = [
            dask.array.from_delayed(dask.delayed(self._column)(part, key), (rows,), dtype)
            for part, rows in enumerate(self._reader.rows())
            if rows
        ]
        whole = dask.array.concatenate(chunks) if chunks else np.empty(0, dtype)
        return ArrayAdapter.from_array(whole)

    def __getitem__(self, key: str) -> ArrayAdapter:
        """One column over all files."""
        column = self.get(key)
        if column is None:
            raise KeyError(key)
        return column

    def _column(self, part: int, key: str) -> NDArray[Any]:
        return np.concatenate([getattr(piece, key) for piece in self._reader.read(part)])

    def _frame(self, pieces: list[Columns], fields: Sequence[str] | None) -> pd.DataFrame:
        names = list(fields or self.columns.DTYPES)
        for name in names:
            if name not in self.columns.DTYPES:
                raise KeyError(name)
        empty = self.columns.empty()
        return pd.DataFrame(
            {name: np.concatenate([getattr(p, name) for p in (empty, *pieces)]) for name in names}
        )


class RawHitsAdapter(RawTableAdapter):
    """Hits: `t` int64 in ticks of 1.5625 ns, `x`, `y`, `tot_ns` uint16, `chip` uint8."""

    columns = Hits

    def _fresh(self) -> Stream:
        return HitStream()

    def _kind(self) -> str:
        return "hits"

    def _kept(self) -> KeptStates:
        return _kept_hits
