"""Truth tables on disk, written as they come."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from twinbeam.columns import Columns
from twinbeam.errors import RawDataError
from twinbeam.simulate.photon_truth import PhotonKind

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["TruthFile", "read_truth"]

_Table = TypeVar("_Table", bound=Columns)

_GROUP_ROWS = 1 << 18


class TruthFile:
    """A parquet file that grows, and appears under its name when it is complete.

    Parameters
    ----------
    path
        The file; until `finish` it has `.part` behind its name.
    table
        Class of the tables that are written.
    """

    def __init__(self, path: str | Path, table: type[Columns]) -> None:
        from pyarrow import parquet

        self._path = Path(path)
        self._part = self._path.with_name(self._path.name + ".part")
        self._held: list[Columns] = []
        self._n_held = 0
        self._class = table
        self._writer: Any = parquet.ParquetWriter(self._part, _arrow(table.empty()).schema)

    def write(self, table: Columns) -> None:
        """Add rows."""
        self._held.append(table)
        self._n_held += len(table)
        if self._n_held >= _GROUP_ROWS:
            self._flush()

    def finish(self) -> None:
        """Complete the file and give it its name."""
        self._flush()
        self._close()
        self._part.replace(self._path)

    def discard(self) -> None:
        """Remove what was written; nothing happens after `finish`."""
        self._close()
        self._part.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _flush(self) -> None:
        table = self._class.concatenate(self._held)
        self._held, self._n_held = [], 0
        if len(table):
            self._writer.write_table(_arrow(table))


def read_truth(path: str | Path, table: type[_Table]) -> _Table:
    """Read a truth table.

    Raises
    ------
    RawDataError
        If the file is missing or is no such table.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        stored = parquet.read_table(path, columns=list(table.DTYPES))
        columns = {name: _values(stored[name]) for name in table.DTYPES}
    except (OSError, KeyError, pa.ArrowInvalid) as error:
        raise RawDataError(f"no readable truth table: {error}", where=str(path)) from error
    return table(**columns)


def _arrow(table: Columns) -> pa.Table:
    """As arrow, the kind of a photon by its name."""
    import pyarrow as pa

    columns: dict[str, Any] = dict(table.columns())
    if "kind" in columns:
        names = [kind.label for kind in PhotonKind]
        columns["kind"] = pa.DictionaryArray.from_arrays(columns["kind"].astype(np.int8), names)
    return pa.table(columns)


def _values(column: pa.ChunkedArray) -> NDArray[Any]:
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        return column.to_numpy()
    codes = {kind.label: kind for kind in PhotonKind}
    return np.array([codes[label] for label in column.to_pylist()], dtype=np.uint8)
