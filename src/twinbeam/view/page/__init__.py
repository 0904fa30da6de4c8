"""The page people watch: a Bokeh server in the process that has the results."""

from twinbeam.view.page.server import PageServer, PageSettings

__all__ = ["PageServer", "PageSettings"]
