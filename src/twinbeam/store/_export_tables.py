"""One table of a stored result as CSV or parquet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinbeam.errors import StorageError

if TYPE_CHECKING:
    import pyarrow

    from twinbeam.store.stored_result import StoredResult

__all__ = ["write_csv", "write_parquet"]


def write_csv(result: StoredResult, what: str, path: Path) -> None:
    """Comment lines with the provenance, the names of the columns, the rows."""
    import pyarrow.csv

    with path.open("wb") as file:
        file.write(f"# twinbeam: {what} of run {result.run}\n".encode())
        for key, value in result.provenance.items():
            file.write(f"# {key}: {json.dumps(value, default=str)}\n".encode())
        pyarrow.csv.write_csv(_table(result, what), file)


def write_parquet(result: StoredResult, what: str, path: Path) -> None:
    """Columns with their types; the provenance is in the metadata of the schema."""
    import pyarrow.parquet

    table = _table(result, what)
    about = {**result.provenance, "what": what}
    table = table.replace_schema_metadata({"twinbeam": json.dumps(about, default=str)})
    pyarrow.parquet.write_table(table, path)


def _table(result: StoredResult, what: str) -> pyarrow.Table:
    import pyarrow

    if what in result.tables:
        return pyarrow.table(dict(result.tables[what]))
    array = result.arrays.get(what)
    if array is None or array.ndim != 1:
        flat = sorted(name for name, values in result.arrays.items() if values.ndim == 1)
        problem = "there is no" if array is None else f"of {array.ndim} dimensions is"
        raise StorageError(
            f"{problem} '{what}', so it cannot be a table",
            where=f"run {result.run}, recipe {result.recipe_hash}",
            hint=f"tables are {', '.join(sorted(result.tables))}; histograms {', '.join(flat)}; "
            "images go into nexus or zarr",
        )
    return pyarrow.table({**_edges(result, what, array), what: array})


def _edges(result: StoredResult, what: str, array: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Lower and upper edges of the bins of a histogram, with their unit; nothing if unknown."""
    base = what.removesuffix("_accidental")
    for name, edges in result.arrays.items():
        stem, found, unit = name.partition("_edges_")
        fits = found and np.shape(edges) == (array.size + 1,)
        # what belongs to one axis begins with its name: dt, detuning, radial_signal, azimuth_idler
        if fits and (base == stem or base.startswith(f"{stem}_")):
            return {f"from_{unit}": edges[:-1], f"to_{unit}": edges[1:]}
    return {}
