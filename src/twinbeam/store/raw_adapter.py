"""Raw Timepix3 files as a table of hits, for tiled: a partition a file, decoded when read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from tiled.adapters.array import ArrayAdapter
from tiled.adapters.core import Adapter
from tiled.adapters.utils import init_adapter_from_catalog
from tiled.storage import FileStorage, Storage
from tiled.structures.core import Spec, StructureFamily
from tiled.structures.table import TableStructure
from tiled.utils import path_from_uri

from twinbeam.errors import RawDataError, StorageError
from twinbeam.tpx3 import Hits, read_hits

__all__ = ["RAW_MIMETYPE", "RawHitsAdapter", "hits_structure"]

RAW_MIMETYPE = "application/x-tpx3"


def hits_structure(n_files: int) -> TableStructure:
    """Columns of `Hits`, a partition a file."""
    fields = [(name, pa.from_numpy_dtype(dtype)) for name, dtype in Hits.DTYPES.items()]
    return TableStructure.from_schema(pa.schema(fields), npartitions=n_files)


class RawHitsAdapter(Adapter[TableStructure]):
    """The raw files of one acquisition, in their order.

    Columns: `t` int64 in ticks of 1.5625 ns, `x`, `y` uint16, `tot_ns` uint16, `chip` uint8.

    The files share one clock, which rolls over every 26.8 s; each partition is decoded alone and
    so begins in the first turn of it. Times of a file are right relative to each other; to line
    up the files of an acquisition longer than a turn, decode them together with
    `twinbeam.tpx3.read_hits(*paths)`. Single columns, read whole, are decoded together and so are
    lined up; a client's `read()` of the table goes partition by partition and is not.

    Parameters
    ----------
    data_uris
        File URIs of the raw files.
    structure
        Structure kept in the catalogue.
    metadata, specs
        Of the node, as tiled gives them.
    """

    structure_family = StructureFamily.table

    def __init__(
        self,
        data_uris: Sequence[str],
        structure: TableStructure | None = None,
        *,
        metadata: Any = None,
        specs: list[Spec] | None = None,
    ) -> None:
        self._paths = [path_from_uri(uri) for uri in data_uris]
        super().__init__(
            structure or hits_structure(len(self._paths)), metadata=metadata, specs=specs
        )

    @classmethod
    def supported_storage(cls) -> set[type[Storage]]:
        """Files only."""
        return {FileStorage}

    @classmethod
    def from_catalog(cls, data_source: Any, node: Any, /, **parameters: Any) -> RawHitsAdapter:
        """The adapter of a node of the catalogue."""
        return init_adapter_from_catalog(cls, data_source, node, **parameters)

    @classmethod
    def from_uris(cls, *data_uris: str, **parameters: Any) -> RawHitsAdapter:
        """The adapter of files by their URIs."""
        return cls(data_uris, **parameters)

    def read_partition(self, partition: int, fields: Sequence[str] | None = None) -> pd.DataFrame:
        """Hits of one file, all columns or some."""
        return _frame(_read(self._paths[partition]), fields)

    def read(self, fields: Sequence[str] | None = None) -> pd.DataFrame:
        """Hits of all files on one clock, all columns or some."""
        return _frame(_read(*self._paths), fields)

    def get(self, key: str) -> ArrayAdapter | None:
        """One column over all files, for reading slices of it."""
        if key not in Hits.DTYPES:
            return None
        return ArrayAdapter.from_array(np.asarray(getattr(_read(*self._paths), key)))

    def __getitem__(self, key: str) -> ArrayAdapter:
        """One column over all files."""
        column = self.get(key)
        if column is None:
            raise KeyError(key)
        return column


def _read(*paths: Path) -> Hits:
    for path in paths:
        if not path.is_file():
            raise StorageError(
                "the raw file is not there any more",
                where=str(path),
                hint="bring it back, or register the run's files at their new place",
            )
    try:
        return read_hits(*paths) if paths else Hits.empty()
    except RawDataError as error:
        raise StorageError(
            f"the raw file cannot be read: {error.what}", where=error.where, hint=error.hint
        ) from error


def _frame(hits: Hits, fields: Sequence[str] | None) -> pd.DataFrame:
    columns = hits.columns()
    return pd.DataFrame({name: columns[name] for name in (fields or columns)})
