"""`twinbeam serve`."""

from __future__ import annotations

import json
import os
import signal
import threading
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from twinbeam.cli.catalog_option import DEFAULT_CATALOG
from twinbeam.cli.console import err, plain, warning
from twinbeam.cli.progress import bar
from twinbeam.errors import StorageError

__all__ = ["serve"]

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_CTRL_C, _TERMINATED = 130, 143


def serve(
    catalog: Annotated[
        Path, typer.Argument(help="Folder of the catalogue.", envvar="TWINBEAM_CATALOG")
    ] = Path(DEFAULT_CATALOG),
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 is every network of this machine.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 is any free one.")
    ] = 8000,
    readable: Annotated[
        list[Path] | None,
        typer.Option(help="Folder with raw files that clients may register; may be repeated."),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Let everybody read without the key.")
    ] = False,
    create: Annotated[
        bool, typer.Option("--create", help="Make the catalogue if there is none.")
    ] = False,
    api_key_file: Annotated[
        Path | None,
        typer.Option(
            help="File whose first line is the key. Otherwise the key is in "
            "TWINBEAM_TILED_API_KEY, or a new one is made and printed."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the address as one line of JSON.")
    ] = False,
) -> None:
    """Serve a catalogue with its runs, results and raw hits to other machines until Ctrl-C.

    Prints on stdout what clients set: TWINBEAM_TILED_URI, and TWINBEAM_TILED_API_KEY when the key
    is new. With these, 'twinbeam replay', 'export', 'ingest' and a session work on this catalogue
    from elsewhere, as does any client of tiled. A folder is open in one process at a time: while it
    is served, sessions on this machine name the server, too.

    To write always takes the key, and so does reading unless --public is given. The connection is
    not encrypted: beyond a network you trust, put it behind a proxy with TLS. Runs that clients
    could not store while the server was away are kept as JSON lines on their side; 'twinbeam
    ingest' stores them.

    Example: twinbeam serve twinbeam-demo/catalog --port 8000

    Example: twinbeam serve /data/catalog --host 0.0.0.0 --readable /data/raw --api-key-file key
    """
    from twinbeam.store import serve_catalog

    if not create and not (catalog / "catalog.db").exists():
        raise StorageError(
            "no catalogue in this folder", where=str(catalog), hint="make one with --create"
        )
    given = _key_of_file(api_key_file) if api_key_file else _key_of_environment()
    ended = _Ended()
    with ended, ExitStack() as closing:
        with bar("opening the catalogue", silent=as_json):
            server = closing.enter_context(
                serve_catalog(
                    catalog,
                    host=host,
                    port=port,
                    api_key=given,
                    public=public,
                    readable=readable or (),
                )
            )
        _tell(server.uri, None if given else server.api_key, as_json=as_json)
        if host not in _LOOPBACK:
            warning("the key and the data travel unencrypted; anyone on the way can read them")
        reading = "everybody may read" if public else "reading takes the key"
        err.print(plain(f"serving {catalog} at {server.uri}; {reading}; Ctrl-C ends"))
        ended.wait()
    raise typer.Exit(ended.status)


def _tell(uri: str, new_key: str | None, *, as_json: bool) -> None:
    """Print what clients set."""
    if as_json:
        key = {} if new_key is None else {"api_key": new_key}
        print(json.dumps({"uri": uri, "pid": os.getpid(), **key}), flush=True)
        return
    print(f"export TWINBEAM_TILED_URI={uri}")
    if new_key is not None:
        print(f"export TWINBEAM_TILED_API_KEY={new_key}")
    print("READY", flush=True)


def _key_of_environment() -> str | None:
    return os.environ.get("TWINBEAM_TILED_API_KEY") or None


def _key_of_file(path: Path) -> str:
    lines = path.read_text().splitlines()
    if not lines or not lines[0].strip():
        raise StorageError("holds no key", where=str(path), hint="put it on the first line")
    return lines[0].strip()


class _Ended:
    """Waits for Ctrl-C or the signal to terminate, so that either ends the server in order."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.status = 0

    def wait(self) -> None:
        """Wait for the signal."""
        while not self._event.wait(1.0):  # a wait without end could not be woken by a signal
            pass

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.status = _CTRL_C if number == signal.SIGINT else _TERMINATED
        self._event.set()

    def __enter__(self) -> _Ended:
        self._before = {n: signal.signal(n, self._note) for n in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
