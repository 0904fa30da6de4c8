"""What can be taken home from a page."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from tornado.ioloop import IOLoop
from tornado.web import HTTPError, RequestHandler

from twinbeam.errors import TwinbeamError
from twinbeam.pipeline import write_nexus
from twinbeam.view.looking import looking_from
from twinbeam.view.page.gate import Gate
from twinbeam.view.page.viewer import Stage
from twinbeam.view.shown import Shown
from twinbeam.view.shown_scan import ShownScan
from twinbeam.view.tables import PANELS, panel_csv

__all__ = ["Download"]


class Download(RequestHandler):
    """`/download/<panel>.csv` and `/download/result.h5`.

    Arguments of the address: `chosen`, the key of a stored result; `looking`, as JSON, what the
    page shows.
    """

    def initialize(self, gate: Gate, stage: Stage) -> None:
        """Learn whom to let in and what there is."""
        self._gate, self._stage = gate, stage

    def prepare(self) -> None:
        """Refuse who has no token."""
        self._gate.check(self)

    async def get(self, what: str) -> None:
        """Send a file."""
        loop = IOLoop.current()
        try:
            shown = await loop.run_in_executor(self._stage.workers, self._shown)
            if what == "result.h5":
                content = await loop.run_in_executor(self._stage.workers, _nexus, shown)
                kind = "application/x-hdf5"
            else:
                panel = what.removesuffix(".csv")
                looking = looking_from(self._wishes())
                if not what.endswith(".csv") or panel not in PANELS:
                    raise HTTPError(404)
                text = await loop.run_in_executor(
                    self._stage.workers, panel_csv, shown, looking, panel
                )
                content, kind = text.encode(), "text/csv; charset=utf-8"
        except TwinbeamError as error:
            raise HTTPError(404, str(error).replace("%", "%%")) from error
        run = "".join(c for c in shown.key.partition("/")[0] if c.isalnum() or c in "-_")[:8]
        self.set_header("Content-Type", kind)
        self.set_header("Content-Disposition", f'attachment; filename="twinbeam-{run}-{what}"')
        self.set_header("Cache-Control", "no-store")
        self.write(content)

    def _wishes(self) -> dict[str, Any]:
        try:
            values = json.loads(self.get_argument("looking", "{}"))
        except ValueError:
            return {}
        return values if isinstance(values, dict) else {}

    def _shown(self) -> Shown | ShownScan:
        chosen = self.get_argument("chosen", "")
        if chosen and self._stage.library is not None:
            return self._stage.library.open(chosen).shown()
        shown = self._stage.source.shown()
        if shown is None:
            raise TwinbeamError("there is no result yet", hint="wait for the first one")
        return shown


def _nexus(shown: Shown | ShownScan) -> bytes:
    if isinstance(shown, ShownScan):
        raise TwinbeamError("the run has no photons", where=shown.name, hint="take its table")
    with tempfile.TemporaryDirectory(prefix="twinbeam-") as folder:
        path = Path(folder) / "result.h5"
        write_nexus(shown.result, path)
        return path.read_bytes()
