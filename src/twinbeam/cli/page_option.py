"""The page that a live service may serve besides."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinbeam.cli.console import warning
from twinbeam.errors import BeamlineError

if TYPE_CHECKING:
    from twinbeam.live import Showcase
    from twinbeam.store import Catalog

__all__ = ["PAGE_TOKEN", "PageOption", "live_page", "showcase_of"]

#: Name in the environment of the secret of the page; without it a new one is made.
PAGE_TOKEN = "TWINBEAM_PAGE_TOKEN"

PageOption = Annotated[
    int | None,
    typer.Option(
        "--page",
        min=0,
        max=65535,
        help="Also serve the page people watch on this port of this machine; 0 takes a free one.",
    ),
]


def showcase_of(lines: Path | None) -> Showcase:
    """A showcase that knows the start documents in a folder of JSON lines."""
    from twinbeam.live import Showcase
    from twinbeam.store.documents import decode_line

    def start_of(run: str) -> Mapping[str, Any]:
        if lines is None:
            return {}
        with (lines / f"{run}.jsonl").open("rb") as file:
            return decode_line(file.readline())[1]

    return Showcase(start_of, lines)


@contextmanager
def live_page(
    port: int | None, showcase: Showcase | None, catalog: Catalog | None
) -> Iterator[dict[str, str]]:
    """The address of the page, by the name `page`, while it is served; nothing without a port.

    A page that cannot be served is told of and does not stop the analysis.
    """
    if port is None or showcase is None:
        yield {}
        return
    from twinbeam.view.page import PageServer, PageSettings
    from twinbeam.view.sources import Library, LiveSource

    try:
        server = PageServer(
            LiveSource(showcase),
            library=None if catalog is None else Library(catalog),
            settings=PageSettings(port=port),
            token=os.environ.get(PAGE_TOKEN) or None,
        )
    except BeamlineError as error:
        warning(str(error))
        yield {}
        return
    # Bokeh collects garbage whenever a viewer leaves, which stops the analysis for as long as it
    # takes to look at everything; what is there now stays for good and need not be looked at.
    gc.collect()
    gc.freeze()
    with server:
        yield {"page": server.url}
