"""Nodes of the catalogue whose data are raw files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from twinbeam.store._file_marks import FileMark
from twinbeam.store._paths import file_uri

__all__ = ["has_readable_files", "put_node", "raw_source"]


def raw_source(
    mimetype: str, files: Sequence[Path], marks: Sequence[FileMark], part_bytes: int
) -> Any:
    """The data source of a table that is made from raw files: hits or photons, by its type."""
    from tiled.structures.core import StructureFamily
    from tiled.structures.data_source import Asset, DataSource, Management

    from twinbeam.store._raw_parts import parts_of
    from twinbeam.store.photons_adapter import PhotonsAdapter
    from twinbeam.store.raw_adapter import RAW_MIMETYPE, RawHitsAdapter, table_structure

    columns = (RawHitsAdapter if mimetype == RAW_MIMETYPE else PhotonsAdapter).columns
    sizes = [mark.n_bytes for mark in marks]
    return DataSource(
        structure_family=StructureFamily.table,
        structure=table_structure(columns, len(parts_of(sizes, part_bytes))),
        mimetype=mimetype,
        parameters={
            "sizes": sizes,
            "ends": [mark.ends_sha256 for mark in marks],
            "part_bytes": part_bytes,
        },
        properties={},
        assets=[
            Asset(data_uri=file_uri(file), is_directory=False, parameter="data_uris", num=number)
            for number, file in enumerate(files)
        ],
        management=Management.external,
    )


def put_node(container: Any, key: str, source: Any, metadata: Mapping[str, Any], spec: str) -> Any:
    """Make a node of external files, in the place of one that is there."""
    from tiled.structures.core import Spec, StructureFamily

    if key in container:
        container.delete_contents(key)  # forgets the node; external files are never deleted
    return container.new(
        StructureFamily.table, [source], key=key, metadata=dict(metadata), specs=[Spec(spec)]
    )


def has_readable_files(node: Any) -> bool:
    """Whether the server can make a table of its files; tiled finds out when it is read."""
    path = "/".join([*node.path_parts, "no such column"])
    answer = node.context.http_client.get(f"{node.context.api_uri}metadata/{path}")
    return bool(answer.status_code == 404)
