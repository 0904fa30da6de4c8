"""The document of one browser."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from bokeh.document import Document
from bokeh.events import DocumentReady, DoubleTap, SelectionGeometry
from bokeh.models import CustomJS

from twinbeam._version import __version__
from twinbeam.view.map_panels import MAPS
from twinbeam.view.page.figures import PALETTES, make_figures
from twinbeam.view.page.model import PageModel
from twinbeam.view.page.viewer import Stage, Viewer
from twinbeam.view.tables import PANELS

__all__ = ["fill_document"]


def fill_document(document: Document, stage: Stage) -> None:
    """Put figures, the shared model and the script into a new document and keep it up to date."""
    page = PageModel(name="page")
    made = make_figures()
    for name in MAPS:
        events = {SelectionGeometry: "window.twinbeam.select(cb_obj)"}
        events[DoubleTap] = "window.twinbeam.clear()"
        for event, code in events.items():
            made.plots[name].js_on_event(event, CustomJS(code=code))
    made.plots["coincidence"].tags = [page]  # so that it belongs to the document
    ready = {"page": page, "palettes": dict(PALETTES), "panels": list(PANELS), **vars(made)}
    with document.models.freeze():  # or the document would look through all models each time
        for plot in made.plots.values():
            document.add_root(plot)
        start = CustomJS(args={"all": ready}, code="window.twinbeam.start(all)")
        document.js_on_event(DocumentReady, start)
    document.title = "twinbeam"
    document.template = _asset("page.html")
    document.template_variables.update(
        style=_asset("page.css"), script=_asset("page.js"), version=__version__
    )
    Viewer(document, page, stage)


@cache
def _asset(name: str) -> str:
    return files("twinbeam.view.page").joinpath("assets", name).read_text(encoding="utf-8")
