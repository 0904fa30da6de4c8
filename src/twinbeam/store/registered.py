"""What the catalogue knows of the raw files of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinbeam.store._file_marks import FileMark
from twinbeam.store._raw_parts import PART_BYTES

if TYPE_CHECKING:
    from twinbeam.store.catalog import Catalog

__all__ = ["RegisteredFiles", "files_of_node", "registered_files"]


@dataclass(frozen=True)
class RegisteredFiles:
    """Raw files as they are registered.

    Attributes
    ----------
    paths
        The files in their order.
    marks
        Size and digest of each.
    part_bytes
        Raw bytes of a partition at most.
    """

    paths: tuple[Path, ...]
    marks: tuple[FileMark, ...]
    part_bytes: int


def registered_files(catalog: Catalog, run_uid: str) -> RegisteredFiles | None:
    """The raw files that are registered for a run; None when none are."""
    hits = catalog.client["hits"]
    if run_uid not in hits:
        return None
    return files_of_node(hits.include_data_sources()[run_uid])


def files_of_node(node: Any) -> RegisteredFiles:
    """The raw files of a node that was read with its data sources."""
    from tiled.utils import path_from_uri

    (source,) = node.data_sources()
    assets = sorted(source.assets, key=lambda asset: asset.num or 0)
    paths = tuple(Path(path_from_uri(asset.data_uri)) for asset in assets)
    parameters = source.parameters
    if "sizes" in parameters:
        given = zip(parameters["sizes"], parameters["ends"], strict=True)
        marks = tuple(FileMark(int(size), str(ends)) for size, ends in given)
    else:  # registered before sizes were kept
        marks = tuple(FileMark(path.stat().st_size if path.is_file() else 0) for path in paths)
    return RegisteredFiles(paths, marks, int(parameters.get("part_bytes", PART_BYTES)))
