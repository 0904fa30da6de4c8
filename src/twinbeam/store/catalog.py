"""The embedded catalogue: tiled inside this process, with everything in one folder."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from twinbeam.errors import StorageError
from twinbeam.store._lock import lock_folder
from twinbeam.store._paths import file_uri, servable_path
from twinbeam.store._template import put_catalog_database

__all__ = ["Catalog", "open_catalog"]

# The containers at the root; those of runs carry the spec without which databroker finds nothing.
RUN_CONTAINERS = ("raw", "processed")
PLAIN_CONTAINERS = ("hits", "derived")


def open_catalog(directory: str | Path, *, readable: Iterable[str | Path] = ()) -> Catalog:
    """Open the catalogue in a folder, creating it if there is none.

    The folder holds `catalog.db` (SQLite, what there is), `tables.duckdb` (events), `data/`
    (arrays and tables), `documents/` (JSON lines of every run) and `lock`. One process at a time
    may have it open. Opening takes 0.5 to 1 s besides the import of tiled.

    Parameters
    ----------
    directory
        The catalogue's folder.
    readable
        Folders outside it from which raw files may be registered.

    Raises
    ------
    StorageError
        If the folder is open elsewhere, cannot be written, or was made by another version of tiled.
    """
    folder = servable_path(directory)
    roots = tuple(servable_path(root) for root in readable)
    try:
        (folder / "data").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"the catalogue folder cannot be created: {error.strerror}", where=str(folder)
        ) from error
    with ExitStack() as closing:
        closing.enter_context(lock_folder(folder))
        if not (folder / "catalog.db").exists():
            put_catalog_database(folder / "catalog.db")
        client = _embedded_client(folder, roots, closing)
        catalog = Catalog(client, folder, roots, closing.pop_all())
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
        Tiled client of the root, with the containers `raw`, `hits`, `derived` and `processed`.
    directory
        The catalogue's folder.
    readable
        Folders from which raw files may be registered.
    """

    def __init__(
        self, client: Any, directory: Path, readable: tuple[Path, ...], closing: ExitStack
    ) -> None:
        self.client = client
        self.directory = directory
        self.readable = readable
        self._closing = closing
        self._brokers: dict[str, Any] = {}

    @property
    def raw(self) -> Any:
        """Tiled client of the measured runs."""
        return self.client["raw"]

    @property
    def documents_directory(self) -> Path:
        """Where the JSON lines of the runs are."""
        return self.directory / "documents"

    def broker(self, container: str = "raw") -> Any:
        """`databroker.Broker` on a container of runs: `raw` or `processed`.

        Databroker switches the table of client classes it is given to its old layout of runs, so
        it gets a table of its own and every other tiled client in the process keeps the new one.
        """
        if container not in self._brokers:
            from databroker.v1 import Broker

            self._brokers[container] = Broker(_isolated_client(self.client.context)[container])
        return self._brokers[container]

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


def _embedded_client(folder: Path, roots: tuple[Path, ...], closing: ExitStack) -> Any:
    """Tiled client of an application that runs inside this process, without a socket."""
    from bluesky_tiled_plugins.exporters import json_seq_exporter
    from tiled import alembic_utils
    from tiled.catalog import from_uri
    from tiled.client import Context, from_context
    from tiled.config import StreamingCacheConfig
    from tiled.media_type_registration import default_serialization_registry
    from tiled.server.app import build_app
    from tiled.structures.core import Spec

    from twinbeam.store.raw_adapter import RAW_MIMETYPE, RawHitsAdapter

    with warnings.catch_warnings():
        # tiled's in-process client stands on it; whoever opens a catalogue cannot change that
        warnings.filterwarnings("ignore", message="Using `httpx` with `starlette.testclient`")
        import starlette.testclient  # noqa: F401

    logging.getLogger("tiled.server.app").setLevel(logging.WARNING)  # greets on stderr at INFO
    # Without this exporter a run cannot be given back as documents, hence not replayed.
    default_serialization_registry.register("BlueskyRun", "application/json-seq", json_seq_exporter)
    tree = from_uri(
        f"sqlite:///{folder}/catalog.db",
        writable_storage=[file_uri(folder / "data"), f"duckdb:///{folder}/tables.duckdb"],
        readable_storage=[file_uri(root) for root in roots],
        adapters_by_mimetype={RAW_MIMETYPE: RawHitsAdapter},
        cache_config=StreamingCacheConfig(uri="memory").model_dump(),
    )
    foreign = (
        alembic_utils.DatabaseUpgradeNeeded,
        alembic_utils.UninitializedDatabase,
        alembic_utils.UnrecognizedDatabase,
    )
    try:
        context = Context.from_app(build_app(tree))
    except foreign as error:
        raise StorageError(
            "the catalogue database was made by another version of tiled",
            where=str(folder / "catalog.db"),
            hint=f"run 'tiled catalog upgrade-database sqlite:///{folder}/catalog.db'",
        ) from error
    closing.callback(context.close)
    client = from_context(context)
    present = set(client)
    for name in (*RUN_CONTAINERS, *PLAIN_CONTAINERS):
        if name not in present:
            specs = [Spec("CatalogOfBlueskyRuns", version="3.0")] if name in RUN_CONTAINERS else []
            client.create_container(name, specs=specs)
    return client


def _isolated_client(context: Any) -> Any:
    """Root client whose table of client classes is a copy that nobody else uses."""
    from tiled.client import from_context
    from tiled.client.container import DEFAULT_STRUCTURE_CLIENT_DISPATCH
    from tiled.utils import OneShotCachedMap

    shared = DEFAULT_STRUCTURE_CLIENT_DISPATCH["numpy"]
    own = OneShotCachedMap({key: (lambda key=key: shared[key]) for key in shared})
    return from_context(context, structure_clients=own)
