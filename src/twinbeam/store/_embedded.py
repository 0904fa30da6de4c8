"""Tiled inside this process: the application of a catalogue folder and its client."""

from __future__ import annotations

import json
import logging
import secrets
import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from twinbeam.errors import StorageError, TwinbeamError
from twinbeam.store._one_at_a_time import OneAtATime
from twinbeam.store._paths import file_uri, servable_path

__all__ = ["SERVED", "checked_key", "embedded_client", "remembered_roots"]

SERVED = "twinbeam.served"  # in the scope of a request that came over the network


def checked_key(api_key: str | None) -> str:
    """The key under which others may come in; a random one of 256 bits if none is given.

    Raises
    ------
    StorageError
        If the key has other characters than letters and digits, or fewer than 16 of them.
    """
    if api_key is None:
        return secrets.token_hex(32)
    if not (api_key.isascii() and api_key.isalnum()) or len(api_key) < 16:
        raise StorageError(
            "an API key is of letters and digits, 16 or more",
            hint="python -c 'import secrets; print(secrets.token_hex(32))' makes a good one",
        )
    return api_key


def remembered_roots(folder: Path, given: tuple[Path, ...]) -> tuple[Path, ...]:
    """The folders from which a catalogue may read raw files: those given, now or before.

    They are kept in `readable.json`, so that whoever opens the folder later, as to serve it, can
    read the runs that are registered.

    Raises
    ------
    StorageError
        If the file cannot be read or written.
    """
    path = folder / "readable.json"
    try:
        before = json.loads(path.read_text()) if path.exists() else []
        roots = tuple(dict.fromkeys([*given, *(servable_path(str(root)) for root in before)]))
        if set(map(str, roots)) != set(before):
            part = path.with_suffix(".part")
            part.write_text(json.dumps([str(root) for root in roots], indent=1) + "\n")
            part.replace(path)
    except (OSError, ValueError, TypeError) as error:
        raise StorageError(
            f"the list of readable folders cannot be used: {error}",
            where=str(path),
            hint="delete the file and open the catalogue with readable=[…]",
        ) from error
    return roots


def embedded_client(folder: Path, roots: tuple[Path, ...], api_key: str, closing: ExitStack) -> Any:
    """Tiled client of an application that runs inside this process, without a socket."""
    from bluesky_tiled_plugins.exporters import json_seq_exporter
    from tiled import alembic_utils
    from tiled.client import Context, from_context
    from tiled.media_type_registration import default_serialization_registry

    with warnings.catch_warnings():
        # tiled's in-process client stands on it; whoever opens a catalogue cannot change that
        warnings.filterwarnings("ignore", message="Using `httpx` with `starlette.testclient`")
        import starlette.testclient  # noqa: F401

    # Without this exporter a run cannot be given back as documents, hence not replayed.
    default_serialization_registry.register("BlueskyRun", "application/json-seq", json_seq_exporter)
    foreign = (
        alembic_utils.DatabaseUpgradeNeeded,
        alembic_utils.UninitializedDatabase,
        alembic_utils.UnrecognizedDatabase,
    )
    try:
        context = Context.from_app(_application(folder, roots, api_key))
    except foreign as error:
        raise StorageError(
            "the catalogue database was made by another version of tiled",
            where=str(folder / "catalog.db"),
            hint=f"run 'tiled catalog upgrade-database sqlite:///{folder}/catalog.db'",
        ) from error
    closing.callback(context.close)
    return from_context(context)


def _application(folder: Path, roots: tuple[Path, ...], api_key: str) -> Any:
    from tiled.catalog import from_uri
    from tiled.server.app import build_app
    from tiled.server.settings import Settings, get_settings

    from twinbeam.store._recent_writes import streaming_config
    from twinbeam.store.photons_adapter import PHOTONS_MIMETYPE, PhotonsAdapter
    from twinbeam.store.raw_adapter import RAW_MIMETYPE, RawHitsAdapter

    tree = from_uri(
        f"sqlite:///{folder}/catalog.db",
        writable_storage=[file_uri(folder / "data"), f"duckdb:///{folder}/tables.duckdb"],
        readable_storage=[file_uri(root) for root in roots],
        adapters_by_mimetype={RAW_MIMETYPE: RawHitsAdapter, PHOTONS_MIMETYPE: PhotonsAdapter},
        cache_config=streaming_config(),
    )
    logging.getLogger("tiled.server.app").setLevel(logging.WARNING)  # greets on stderr at INFO
    app = build_app(tree)
    # Tiled keeps one object of settings a process; two catalogues would share their key.
    settings = Settings(single_user_api_key=api_key, allow_anonymous_access=False)
    app.dependency_overrides[get_settings] = lambda: settings
    app.exception_handler(TwinbeamError)(_tell)
    app.add_middleware(OneAtATime)
    return app


async def _tell(request: Any, error: TwinbeamError) -> Any:
    """Give what is wrong to a client on the network; in this process it is raised as it is."""
    if not request.scope.get(SERVED):
        raise error
    from starlette.responses import JSONResponse

    return JSONResponse({"detail": str(error)}, status_code=409)
