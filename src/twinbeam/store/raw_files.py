"""Raw files of a run, registered where the detector wrote them, so that clients read hits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinbeam.errors import StorageError
from twinbeam.store._answers import told_by_tiled
from twinbeam.store._file_marks import FileMark, mark_of
from twinbeam.store._paths import servable_path
from twinbeam.store._raw_node import has_readable_files, put_node, raw_source
from twinbeam.store._raw_parts import PART_BYTES
from twinbeam.store.registered import registered_files

if TYPE_CHECKING:
    from twinbeam.pipeline import Recipe
    from twinbeam.store.catalog import Catalog

__all__ = ["register_photons", "register_raw"]


def register_raw(
    catalog: Catalog,
    run_uid: str,
    paths: Iterable[str | Path],
    metadata: Mapping[str, Any] | None = None,
    *,
    part_bytes: int = PART_BYTES,
) -> Any:
    """Register the raw files of a run as the table `hits/<run uid>`; the files stay put.

    The table has the columns of `twinbeam.tpx3.Hits`, all on one clock, and a partition a file, or
    more for a file of over 64 MB. The size of each file and a digest of its first and last 64 kB
    are kept, and reading checks them. Registering a run again replaces its list of files.

    Parameters
    ----------
    catalog
        An open catalogue. A server must see the files under the same paths.
    run_uid
        Uid of the run.
    paths
        The raw files in the order in which they were written.
    metadata
        Kept with the node, beside the run's uid and the names, sizes and digests of the files.
    part_bytes
        Raw bytes of a partition at most, 64 MiB by default.

    Returns
    -------
    object
        Tiled client of the table.

    Raises
    ------
    StorageError
        If there is no file, one is missing, or one is outside the readable folders; or if the
        server has no adapter for raw files.
    """
    from twinbeam.store.raw_adapter import RAW_MIMETYPE

    files = [_checked(servable_path(path), catalog) for path in paths]
    if not files:
        raise StorageError(f"run {run_uid} has no raw files to register")
    marks = [mark_of(file) for file in files]
    source = raw_source(RAW_MIMETYPE, files, marks, part_bytes)
    about = {**(metadata or {}), "run": run_uid, "raw_files": _described(files, marks)}
    with told_by_tiled(f"hits/{run_uid}"):
        hits = catalog.client["hits"]
        node = put_node(hits, run_uid, source, about, "TwinbeamHits")
        if not catalog.embedded and not has_readable_files(node):
            hits.delete_contents(run_uid)
            raise StorageError(
                "the tiled server does not read there",
                where=str(files[0]),
                hint=f"start it with 'twinbeam serve --readable {files[0].parent}'",
            )
        return node


def register_photons(
    catalog: Catalog, run_uid: str, recipe: Recipe, metadata: Mapping[str, Any] | None = None
) -> Any:
    """Make the photons of a run readable as the table `photons/<run uid>/<recipe hash>`.

    Nothing is computed or stored now: whoever reads a partition has its photons found, with the
    recipe that is kept in the metadata. All partitions together are what
    `twinbeam.pipeline.read_photons` gives for the files.

    Parameters
    ----------
    catalog
        An open catalogue.
    run_uid
        Uid of a run whose raw files are registered.
    recipe
        Which hits are one photon. Files it names must be where the catalogue is.
    metadata
        Kept with the node, beside the run's uid and the recipe.

    Returns
    -------
    object
        Tiled client of the table.

    Raises
    ------
    StorageError
        If the raw files of the run are not registered.
    """
    from twinbeam.store.photons_adapter import PHOTONS_MIMETYPE

    with told_by_tiled(f"photons/{run_uid}"):
        registered = registered_files(catalog, run_uid)
        if registered is None:
            raise StorageError(
                "the raw files of the run are not registered",
                where=f"run {run_uid}",
                hint="call twinbeam.store.register_raw with them",
            )
        source = raw_source(
            PHOTONS_MIMETYPE, registered.paths, registered.marks, registered.part_bytes
        )
        about = {
            **(metadata or {}),
            "run": run_uid,
            "recipe": recipe.as_dict(),
            "recipe_hash": recipe.hash,
        }
        photons = catalog.client["photons"]
        if run_uid not in photons:
            photons.create_container(run_uid, metadata={"run": run_uid})
        return put_node(photons[run_uid], recipe.hash, source, about, "TwinbeamPhotons")


def _described(files: list[Path], marks: list[FileMark]) -> list[dict[str, Any]]:
    return [
        {"name": file.name, "bytes": mark.n_bytes, "ends_sha256": mark.ends_sha256}
        for file, mark in zip(files, marks, strict=True)
    ]


def _checked(file: Path, catalog: Catalog) -> Path:
    if not file.is_file():
        raise StorageError(
            "the raw file does not exist",
            where=str(file),
            hint="check that the detector writes where this machine reads",
        )
    if catalog.embedded and not any(file.is_relative_to(root) for root in catalog.readable):
        raise StorageError(
            "the raw file is outside the folders the catalogue may read",
            where=str(file),
            hint=f"open the catalogue with readable=['{file.parent}']",
        )
    return file
