"""Which catalogue of runs a command is about."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twinbeam.errors import StorageError

if TYPE_CHECKING:
    from twinbeam.store import Catalog

__all__ = ["DEFAULT_CATALOG", "CatalogOption", "is_server", "open_existing"]

DEFAULT_CATALOG = "twinbeam-demo/catalog"
_KEYS = ("TWINBEAM_TILED_API_KEY", "TILED_API_KEY")

CatalogOption = Annotated[
    str,
    typer.Option(
        help="Folder of the catalogue, address of a tiled server (http://…), or profile:NAME. "
        "The key of a server is taken from TWINBEAM_TILED_API_KEY.",
        envvar=["TWINBEAM_TILED_URI", "TWINBEAM_CATALOG"],
    ),
]


def is_server(where: str) -> bool:
    """Whether a catalogue is named by the address of a server or a tiled profile."""
    return where.startswith(("http://", "https://", "profile:"))


def open_existing(where: str, *, readable: tuple[Path, ...] = ()) -> Catalog:
    """Open a catalogue that is there; a folder without one is not made into one.

    Raises
    ------
    StorageError
        If there is none, or it cannot be opened.
    """
    from twinbeam.store import open_catalog

    if is_server(where):
        return open_catalog(where, readable=readable, api_key=_remembered_key())
    if not (Path(where) / "catalog.db").exists():
        raise StorageError(
            "no catalogue in this folder",
            where=where,
            hint="name it with --catalog, or once for all with 'twinbeam settings set catalog'",
        )
    return open_catalog(where, readable=readable)


def _remembered_key() -> str | None:
    """The key of the server from the file the settings name; None leaves it to the environment."""
    if any(map(os.environ.get, _KEYS)):
        return None
    from twinbeam.settings import choose, read_key

    path = choose()["tiled_api_key_file"].value
    return read_key(path) if path else None
