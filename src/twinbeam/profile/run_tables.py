"""Bluesky's tables and plots during runs, tuned for hours of frames at an unattended beamline."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from bluesky.callbacks.best_effort import BestEffortCallback, PeakStats, hinted_fields
from event_model import unpack_event_page

__all__ = ["RunTables"]

_NUMBERS = ("number", "integer")
_log = logging.getLogger(__name__)

#: Streams that say how it was, not what was measured.
_NO_PLOTS = ("baseline", "conditions", "spots")

#: Plans that say a line for each dozen of points themselves.
_NO_TABLES = ("mosaic_map",)


class RunTables(BestEffortCallback):
    """A `BestEffortCallback` that never ends a run, and prints no more than can be read.

    An error in a table or plot (a window closed in the middle of a scan) is logged, and both stay
    off until the next run. Of long acquisitions, whose frames `BestEffortCallback` leaves out, the
    table has a row every `row_s` seconds; all are in the data. `peaks` has centre and width of the
    last scan whether there are plots or not.

    Parameters
    ----------
    row_s
        Shortest time between two rows of a long acquisition, in seconds.
    """

    def __init__(self, *, row_s: float = 5.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.noplot_streams = [*_NO_PLOTS]
        self.disable_baseline()  # forty lines before and after each run; they are in the data
        self.row_s = row_s
        self._failed = False
        self._next_row_s = 0.0
        self._long = self._hushed = False

    def start(self, doc: Mapping[str, Any]) -> None:
        """Begin a run."""
        self._failed = False
        self._next_row_s = 0.0
        # a row each second would push everything else off the screen
        self._long = "frame_s" in doc.get("plan_args", {}) and not doc.get("motors")
        self.overplot = doc.get("plan_name") != "mosaic_map"
        self._hushed = doc.get("plan_name") in _NO_TABLES
        self._safely("start", doc)

    def descriptor(self, doc: Mapping[str, Any]) -> None:
        """Prepare table and plots of a stream."""
        wanted = self._table_enabled
        self._table_enabled = wanted and not self._hushed
        try:
            self._safely("descriptor", doc)
        finally:
            self._table_enabled = wanted
        if not self._plots_enabled and not self._failed:
            self._watch_peaks(doc)

    def _watch_peaks(self, doc: Mapping[str, Any]) -> None:
        """Without plots `BestEffortCallback` has no `peaks`, which need none."""
        if doc.get("name") != self.dim_stream or len(self.dim_fields) != 1:
            return
        (x,) = self.dim_fields
        keys = doc["data_keys"]
        if x not in keys:  # such as time
            return
        numbers = [key for key in hinted_fields(doc) if keys[key]["dtype"] in _NUMBERS]
        stats = {key: PeakStats(x=x, y=key) for key in numbers if key not in self.all_dim_fields}
        for each in stats.values():
            each("start", self._start_doc)
            each("descriptor", dict(doc))
        self._peak_stats[doc["uid"]] = stats

    def event(self, doc: Mapping[str, Any]) -> Any:
        """Show an event."""
        now_s = time.monotonic()
        in_table = self._descriptors.get(doc["descriptor"], {}).get("name") == "primary"
        if not (self._long and in_table):
            self._safely("event", doc)
        elif now_s >= self._next_row_s:
            self._next_row_s = now_s + self.row_s
            self._safely("event", doc)
        else:
            table, self._table = self._table, None
            self._safely("event", doc)
            self._table = table

    def event_page(self, doc: Any) -> Any:
        """Show the events of frames, which come together."""
        for event in unpack_event_page(doc):
            self.event(event)

    def stop(self, doc: Mapping[str, Any]) -> None:
        """End a run."""
        with np.errstate(all="ignore"):  # peaks of what is none
            self._safely("stop", doc)

    def _safely(self, name: str, doc: Mapping[str, Any]) -> None:
        if self._failed and name != "start":
            return
        try:
            getattr(super(), name)(doc)
        except Exception:
            self._failed = True
            _log.warning("no tables and plots for the rest of this run", exc_info=True)
