"""What the server and a page tell each other."""

from __future__ import annotations

from bokeh.core.properties import Any, Bool, Dict, List, String
from bokeh.model import DataModel

__all__ = ["PageModel"]


class PageModel(DataModel):
    """Shared by the server and one browser.

    The server writes `frame`, `library` and `notice`, the page the others.
    """

    frame = Any(default=None, help="Everything that is drawn, of one version; see `view.frame`.")
    painted = String(default="", help="Key of the frame that was painted last.")
    visible = Bool(default=True, help="Whether the page is seen; a tab behind others is not.")
    looking = Dict(String, Any, default={}, help="How the viewer wants to see it.")
    chosen = String(default="", help="Key of the stored result to show; empty for the live one.")
    library = List(List(String), default=[], help="Key and name of each stored result.")
    notice = String(default="", help="What could not be done.")
