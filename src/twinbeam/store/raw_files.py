"""Raw files of a run, registered where the detector wrote them, so that clients read hits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinbeam.errors import StorageError
from twinbeam.store._paths import file_uri, servable_path

if TYPE_CHECKING:
    from twinbeam.store.catalog import Catalog

__all__ = ["register_raw"]


def register_raw(
    catalog: Catalog,
    run_uid: str,
    paths: Iterable[str | Path],
    metadata: Mapping[str, Any] | None = None,
) -> Any:
    """Register the raw files of a run as the table `hits/<run uid>`; the files stay put.

    The table has a partition a file and the columns of `twinbeam.tpx3.Hits`; see
    `twinbeam.store.raw_adapter.RawHitsAdapter` for what times of single partitions mean.
    Registering a run again replaces its list of files.

    Parameters
    ----------
    catalog
        An open catalogue.
    run_uid
        Uid of the run.
    paths
        The raw files in the order in which they were written.
    metadata
        Kept with the node, beside the run's uid.

    Returns
    -------
    object
        Tiled client of the table.

    Raises
    ------
    StorageError
        If there is no file, one is missing, or one is outside the readable folders.
    """
    from tiled.structures.core import Spec, StructureFamily
    from tiled.structures.data_source import Asset, DataSource, Management

    from twinbeam.store.raw_adapter import RAW_MIMETYPE, hits_structure

    files = [_checked(servable_path(path), catalog.readable) for path in paths]
    if not files:
        raise StorageError(f"run {run_uid} has no raw files to register")
    assets = [
        Asset(
            data_uri=file_uri(file),
            is_directory=False,
            parameter="data_uris",
            num=number,
        )
        for number, file in enumerate(files)
    ]
    source = DataSource(
        structure_family=StructureFamily.table,
        structure=hits_structure(len(files)),
        mimetype=RAW_MIMETYPE,
        parameters={},
        properties={},
        assets=assets,
        management=Management.external,
    )
    hits = catalog.client["hits"]
    if run_uid in hits:
        hits.delete_contents(run_uid)  # forgets the node; external files are never deleted
    return hits.new(
        StructureFamily.table,
        [source],
        key=run_uid,
        metadata={**(metadata or {}), "run": run_uid},
        specs=[Spec("TwinbeamHits")],
    )


def _checked(file: Path, readable: tuple[Path, ...]) -> Path:
    if not file.is_file():
        raise StorageError(
            "the raw file does not exist",
            where=str(file),
            hint="check that the detector writes where this machine reads",
        )
    if not any(file.is_relative_to(root) for root in readable):
        raise StorageError(
            "the raw file is outside the folders the catalogue may read",
            where=str(file),
            hint=f"open the catalogue with readable=['{file.parent}']",
        )
    return file
