"""The catalogue of runs: a folder with tiled inside this process, or a tiled server."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from twinbeam.errors import StorageError
from twinbeam.store._answers import told_by_tiled
from twinbeam.store._embedded import checked_key, embedded_client, remembered_roots
from twinbeam.store._lock import lock_folder
from twinbeam.store._paths import servable_path
from twinbeam.store._remote import is_remote, remote_client, state_documents
from twinbeam.store._template import put_catalog_database

__all__ = ["Catalog", "open_catalog"]

# The containers at the root; those of runs carry the spec without which databroker finds nothing.
RUN_CONTAINERS = ("raw", "processed")
PLAIN_CONTAINERS = ("hits", "photons", "derived")
_RUNS_SPEC = "CatalogOfBlueskyRuns"


def open_catalog(
    where: str | Path,
    *,
    readable: Iterable[str | Path] = (),
    api_key: str | None = None,
    documents: str | Path | None = None,
) -> Catalog:
    """Open a catalogue of runs: the one in a folder, created if there is none, or a server's.

    A folder holds `catalog.db` (SQLite, what there is), `tables.duckdb` (events), `data/`
    (arrays and tables), `documents/` (JSON lines of every run), `readable.json` and `lock`. One
    process at a time may have it open; `twinbeam.store.serve_catalog` lets others in. Opening
    takes 0.5 to 1 s besides the import of tiled.

    Of a server, containers that are missing are made.

    Parameters
    ----------
    where
        A folder, the address of a tiled server (`http://…` or `https://…`), or `profile:NAME`.
    readable
        Of a folder: folders outside it from which raw files may be registered. Once given, they
        stay readable. A server is told when it is started.
    api_key
        Of a server: the key; by default that in `TWINBEAM_TILED_API_KEY` or `TILED_API_KEY`. Of a
        folder: the key under which it is served, a random one by default.
    documents
        Folder of the JSON lines; by default `documents` in the catalogue's folder, or for a server
        `twinbeam/documents` in `XDG_STATE_HOME` or `~/.local/state`.

    Raises
    ------
    StorageError
        If the folder is open elsewhere, cannot be written, or was made by another version of
        tiled; if the server does not answer, refuses the key, or lacks what runs need.
    """
    with ExitStack() as closing:
        if is_remote(where):
            client, address = remote_client(str(where), api_key, closing)
            lines = servable_path(documents or state_documents())
            catalog = Catalog(client, address, lines, None, (), closing)
        else:
            given = tuple(servable_path(root) for root in readable)
            folder = _prepared_folder(where)
            closing.enter_context(lock_folder(folder))
            if not (folder / "catalog.db").exists():
                put_catalog_database(folder / "catalog.db")
            roots = remembered_roots(folder, given)
            client = embedded_client(folder, roots, checked_key(api_key), closing)
            lines = servable_path(documents) if documents else folder / "documents"
            catalog = Catalog(client, str(folder), lines, folder, roots, closing)
        _make_containers(catalog)
        catalog._closing = closing.pop_all()
    # The hook concurrent.futures and tiled use: `atexit` comes after the threads have ended.
    register = getattr(threading, "_register_atexit", None)
    if register is not None:
        register(_close_at_exit, catalog)
    return catalog


class Catalog:
    """An open catalogue; a context manager. One left open is closed when the interpreter ends.

    Attributes
    ----------
    client
        Tiled client of the root, with the containers `raw`, `hits`, `photons`, `derived` and
        `processed`.
    where
        Its folder, or the address of its server.
    documents_directory
        Where the JSON lines of the runs are.
    embedded
        Whether tiled runs inside this process.
    directory
        The catalogue's folder; of a server the folder on this machine with the JSON lines.
    readable
        Folders from which raw files may be registered; empty for a server, which knows them.
    """

    def __init__(
        self,
        client: Any,
        where: str,
        documents: Path,
        folder: Path | None,
        readable: tuple[Path, ...],
        closing: ExitStack,
    ) -> None:
        self.client = client
        self.where = where
        self.documents_directory = documents
        self.embedded = folder is not None
        self.directory = folder or documents.parent
        self.readable = readable
        self._closing = closing
        self._brokers: dict[str, Any] = {}

    @property
    def raw(self) -> Any:
        """Tiled client of the measured runs."""
        return self.client["raw"]

    def broker(self, container: str = "raw") -> Any:
        """`databroker.Broker` on a container of runs: `raw` or `processed`.

        Databroker switches the table of client classes it is given to its old layout of runs, so
        it gets a table of its own and every other tiled client in the process keeps the new one.
        """
        if container not in self._brokers:
            from databroker.v1 import Broker

            self._brokers[container] = Broker(_isolated_client(self.client)[container])
        return self._brokers[container]

    def require_writable(self) -> None:
        """Make sure that runs can be written, without writing anything.

        Raises
        ------
        StorageError
            If the server does not allow it.
        """
        if self.embedded:
            return
        context = self.client.context
        path = "/".join([*self.client.path_parts, "raw"])
        # An empty node is refused by its form (422), but only after the right to write one was
        # looked at.
        with told_by_tiled(self.where):
            answer = context.http_client.post(f"{context.api_uri}metadata/{path}", json={})
            if answer.status_code != 422:
                answer.raise_for_status()

    def on_close(self, callback: Callable[[], object]) -> None:
        """Call something before the catalogue closes; the last one given is called first."""
        self._closing.callback(callback)

    def close(self) -> None:
        """Close writers, threads and files; may be called again.

        Raises
        ------
        StorageError
            If a writer that belongs to the catalogue could not store everything.
        """
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _close_at_exit(catalog: Catalog) -> None:
    """Store what is waiting in a catalogue that was left open when the interpreter ends."""
    try:
        catalog.close()
    except StorageError as error:
        print(f"twinbeam: {error}", file=sys.stderr)


def _prepared_folder(where: str | Path) -> Path:
    folder = servable_path(where)
    try:
        (folder / "data").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"the catalogue folder cannot be created: {error.strerror}", where=str(folder)
        ) from error
    return folder


def _make_containers(catalog: Catalog) -> None:
    """Make the containers that are missing; those of runs that are there must know it."""
    from tiled.client.utils import ClientError
    from tiled.structures.core import Spec

    client = catalog.client
    with told_by_tiled(catalog.where):
        for name in (*RUN_CONTAINERS, *PLAIN_CONTAINERS):
            runs = name in RUN_CONTAINERS
            if name not in client:
                try:
                    specs = [Spec(_RUNS_SPEC, version="3.0")] if runs else []
                    client.create_container(name, specs=specs)
                except ClientError as error:
                    if error.response.status_code != 409:  # made by another client just now
                        raise
            elif runs and _RUNS_SPEC not in {spec.name for spec in client[name].specs}:
                raise StorageError(
                    f"the container '{name}' is not marked as one of runs, so none can be found",
                    where=catalog.where,
                    hint=f"give it the spec {_RUNS_SPEC}, version 3.0, or name another container",
                )


def _isolated_client(client: Any) -> Any:
    """The same client with a table of client classes that nobody else uses."""
    from tiled.client import from_context
    from tiled.client.container import DEFAULT_STRUCTURE_CLIENT_DISPATCH
    from tiled.utils import OneShotCachedMap

    shared = DEFAULT_STRUCTURE_CLIENT_DISPATCH["numpy"]
    own = OneShotCachedMap({key: (lambda key=key: shared[key]) for key in shared})
    return from_context(
        client.context, structure_clients=own, node_path_parts=list(client.path_parts)
    )
