"""Which catalogue of runs a command is about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twinbeam.errors import StorageError

if TYPE_CHECKING:
    from twinbeam.store import Catalog

__all__ = ["DEFAULT_CATALOG", "CatalogOption", "open_existing"]

DEFAULT_CATALOG = "twinbeam-demo/catalog"

CatalogOption = Annotated[
    str,
    typer.Option(
        help="Folder of the catalogue, address of a tiled server (http://…), or profile:NAME. "
        "The key of a server is taken from TWINBEAM_TILED_API_KEY.",
        envvar=["TWINBEAM_TILED_URI", "TWINBEAM_CATALOG"],
    ),
]


def open_existing(where: str, *, readable: tuple[Path, ...] = ()) -> Catalog:
    """Open a catalogue that is there; a folder without one is not made into one.

    Raises
    ------
    StorageError
        If there is none, or it cannot be opened.
    """
    from twinbeam.store import open_catalog

    server = where.startswith(("http://", "https://", "profile:"))
    if not server and not (Path(where) / "catalog.db").exists():
        raise StorageError(
            "no catalogue in this folder", where=where, hint="name it with --catalog"
        )
    return open_catalog(where, readable=readable)
