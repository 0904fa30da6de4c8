"""A stored result as a zarr group."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twinbeam.store.stored_result import StoredResult

__all__ = ["write_zarr"]


def write_zarr(result: StoredResult, path: Path) -> None:
    """Arrays at the top, a group a table, provenance and summary in the attributes of the top."""
    import zarr

    root = zarr.create_group(store=str(path))
    # through JSON, because attributes take nothing but its plain values
    about: dict[str, Any] = json.loads(json.dumps(result.provenance, default=str))
    root.attrs.update({**about, "summary": result.metadata.get("summary")})
    for name, array in result.arrays.items():
        root.create_array(name, data=array)
    for name, columns in result.tables.items():
        group = root.create_group(name)
        group.attrs["kind"] = "table"
        group.attrs["columns"] = list(columns)
        for column, values in columns.items():
            group.create_array(column, data=values)
