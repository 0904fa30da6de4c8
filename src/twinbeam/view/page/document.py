"""The document of one browser.

The figures are the same for everybody: they are made once and stand in the page as they are. What
the server and a browser share is the small model in the document of their session, so that one who
comes or goes costs the live process next to nothing.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from bokeh import events
from bokeh.core.templates import get_env
from bokeh.document import Document
from bokeh.embed import components
from bokeh.events import DocumentReady, DoubleTap, SelectionGeometry
from bokeh.models import CustomJS, Spacer

from twinbeam._version import __version__
from twinbeam.view.map_panels import MAPS
from twinbeam.view.page.figures import PALETTES, make_figures
from twinbeam.view.page.model import PageModel
from twinbeam.view.page.viewer import Stage, Viewer
from twinbeam.view.tables import PANELS

__all__ = ["fill_document"]

_making = threading.Lock()


@dataclass(frozen=True)
class _Page:
    """What all pages have in common: the template and the figures in it."""

    template: Any
    variables: dict[str, Any]


def fill_document(document: Document, stage: Stage) -> None:
    """Put the shared model into a new document and keep it up to date."""
    page = PageModel(name="page")
    with document.models.freeze():  # or the document would look through all models each time
        # the model belongs to the document through something that can be in it
        document.add_root(Spacer(width=1, height=1, tags=[page]))
        document.js_on_event(
            DocumentReady, CustomJS(args={"page": page}, code="window.twinbeam.connect(page)")
        )
        lost = getattr(events, "ConnectionLost", None)  # older versions of Bokeh have none
        if lost is not None:
            document.js_on_event(lost, CustomJS(code="window.twinbeam.lost()"))
    config = getattr(document, "config", None)
    if config is not None:  # a service that was started anew does not know the session
        config.reconnect_session = config.notify_connection_status = False
    with _making:
        common = _page()
    document.title = "twinbeam"
    document.template = common.template
    document.template_variables.update(common.variables)
    Viewer(document, page, stage)


@cache
def _page() -> _Page:
    made = make_figures()
    own = Document()
    for name in MAPS:
        said = {SelectionGeometry: "window.twinbeam.select(cb_obj)"}
        said[DoubleTap] = "window.twinbeam.clear()"
        for event, code in said.items():
            made.plots[name].js_on_event(event, CustomJS(code=code))
    for plot in made.plots.values():
        own.add_root(plot)
    ready = {"palettes": dict(PALETTES), "panels": list(PANELS), **vars(made)}
    own.js_on_event(
        DocumentReady, CustomJS(args={"all": ready}, code="window.twinbeam.figures(all)")
    )
    script, divs = components(made.plots)
    template = get_env().from_string("{% extends base %}\n" + _asset("page.html"))
    style, code = _asset("page.css"), _asset("page.js")
    variables = {"style": style, "script": code, "version": __version__}
    return _Page(template, {**variables, "figures": script, "plots": divs})


def _asset(name: str) -> str:
    return files("twinbeam.view.page").joinpath("assets", name).read_text(encoding="utf-8")
