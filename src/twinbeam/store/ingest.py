"""JSON lines → tiled: what puts a run into the catalogue when writing it live has failed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from twinbeam.errors import StorageError
from twinbeam.store._feed import feed_anew
from twinbeam.store.documents import read_documents
from twinbeam.store.kept_runs import run_container

if TYPE_CHECKING:
    from twinbeam.store.catalog import Catalog

__all__ = ["ingest"]


def ingest(
    catalog: Catalog, path: str | Path, *, container: str | None = None, replace: bool = False
) -> str:
    """Store the run of a JSON-lines file and return its uid.

    All events of a stream are written at once, so the type of a column follows from all its
    values; a run that could not be written live for a change of type therefore can be ingested.

    Parameters
    ----------
    catalog
        An open catalogue.
    path
        A file of the folder `documents`.
    container
        `raw` or `processed`; by default the latter for runs whose start names a `raw_run`.
    replace
        Whether a run of this uid that is stored already, perhaps in part, is deleted first.

    Raises
    ------
    StorageError
        If the file is not a run's documents, the run is stored already, or tiled refuses it.
    """
    documents = list(read_documents(path))
    if not documents or documents[0][0] != "start":
        raise StorageError("does not begin with a start document", where=str(path))
    uid = str(documents[0][1]["uid"])
    catalog.require_writable()
    container = container or run_container(documents[0][1])
    runs = catalog.client[container]
    if uid in runs and not replace:
        raise StorageError(
            f"run {uid} is stored already",
            where=f"{catalog.where}, {container}",
            hint="pass replace=True to store it anew",
        )
    try:
        feed_anew(runs, uid, documents)
    except Exception as error:
        raise StorageError(
            f"run {uid} cannot be stored: {type(error).__name__}: {error}", where=str(path)
        ) from error
    return uid
