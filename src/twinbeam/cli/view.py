"""`twinbeam view`."""

from __future__ import annotations

import json
import os
import signal
import threading
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinbeam.cli.catalog_option import DEFAULT_CATALOG, CatalogOption, open_existing
from twinbeam.cli.console import err
from twinbeam.cli.stored_runs import run_names
from twinbeam.errors import BeamlineError

if TYPE_CHECKING:
    from twinbeam.view.sources import Library, Source

__all__ = ["view"]

_FILES = (".h5", ".hdf5", ".nxs")
_CONTROL = "tcp://127.0.0.1:5579"


def view(
    what: Annotated[
        str | None,
        typer.Argument(
            help="Result file of 'twinbeam process', or a stored run: uid or its beginning, scan "
            "id, or -1 for the newest. Without it: the page of the live service.",
            callback=run_names,
        ),
    ] = None,
    catalog: CatalogOption = DEFAULT_CATALOG,
    recipe_hash: Annotated[
        str | None, typer.Option(help="Hash of the recipe, when several results are stored.")
    ] = None,
    control: Annotated[
        str, typer.Option(help="Where the live service answers requests.")
    ] = _CONTROL,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 is every network of this machine.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 is any free one.")
    ] = 0,
    origin: Annotated[
        list[str] | None,
        typer.Option(help="Further host:port at which browsers find the page; may be repeated."),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Whether a browser is opened.")
    ] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the address as one line of JSON.")
    ] = False,
) -> None:
    """Look at a live or stored result in the browser, until Ctrl-C.

    Maps, histograms, spectra, rates and health on one page, which only reads. The address that is
    printed holds a secret: whoever has it can look.

    A live service serves the page itself when it was started with 'twinbeam live --page 5570'. Its
    address is found with the token of the service in TWINBEAM_LIVE_TOKEN.

    Example: twinbeam view result.h5
    """
    if what is None:
        _show(_live_address(control), browser=browser, as_json=as_json)
        return
    from contextlib import ExitStack

    from twinbeam.view.page import PageServer, PageSettings

    settings = PageSettings(host=host, port=port, origins=tuple(origin or ()))
    token = os.environ.get("TWINBEAM_PAGE_TOKEN") or None
    with ExitStack() as closing:
        source, library = _stored(what, catalog, recipe_hash, closing)
        server = closing.enter_context(
            PageServer(source, library=library, settings=settings, token=token)
        )
        ended = threading.Event()
        before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
        for number in before:
            signal.signal(number, lambda *_: ended.set())
        try:
            _show(server.url, browser=browser, as_json=as_json)
            err.print("the page is served until Ctrl-C")
            while not ended.wait(1.0):  # a wait without end could not be woken by a signal
                pass
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _stored(
    what: str, catalog: str, recipe_hash: str | None, closing: Any
) -> tuple[Source, Library | None]:
    """What is looked at, and what else can be chosen on the page."""
    from twinbeam.view import FixedSource, Library, shown_file, shown_stored

    if what.endswith(_FILES) or Path(what).is_file():
        return FixedSource(shown_file(what)), None
    from twinbeam.replay import find_run

    opened = closing.enter_context(open_existing(catalog))
    uid = str(find_run(opened.broker(), what).uid)
    return FixedSource(shown_stored(opened, uid, recipe_hash)), Library(opened)


def _live_address(control: str) -> str:
    from twinbeam.live import ask

    token = os.environ.get("TWINBEAM_LIVE_TOKEN")
    if not token:
        raise BeamlineError(
            "the live service only answers who has its token",
            where=control,
            hint="set TWINBEAM_LIVE_TOKEN, or name a stored run or a result file",
        )
    page = ask(control, token, "status").get("page")
    if not page:
        raise BeamlineError(
            "the live service serves no page",
            where=control,
            hint="start it with 'twinbeam live --page 5570'",
        )
    return str(page)


def _show(url: str, *, browser: bool, as_json: bool) -> None:
    print(json.dumps({"page": url}) if as_json else url, flush=True)
    if browser and not as_json:
        webbrowser.open(url)
