"""One browser that looks: what it is sent, and when."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

from bokeh.document import Document

from twinbeam.errors import TwinbeamError
from twinbeam.view.looking import looking_from
from twinbeam.view.page.model import PageModel
from twinbeam.view.sources import FrameCache, Library, Source

__all__ = ["Stage", "Viewer"]

_log = logging.getLogger(__name__)

TICK_MS = 40
# How long the acknowledgement of a frame is waited for before another one is sent: longer each
# time, and after the last no more until something is acknowledged. So few frames wait at most for
# a browser that is slow, has stopped or is behind a dead line.
DEADLINES_S = (2.0, 8.0, 30.0)
_LIST_EVERY_S = 15.0


@dataclass(frozen=True)
class Stage:
    """What all viewers of a server share.

    Attributes
    ----------
    source
        What is shown to who has chosen nothing.
    library
        Stored results to choose from, if any.
    frames
        Frames made lately.
    workers
        Threads for what takes long.
    """

    source: Source
    library: Library | None
    frames: FrameCache
    workers: Executor


class Viewer:
    """Sends a browser the newest frame whenever it has painted the one before.

    A page that is not seen gets nothing, and the newest frame as soon as it is seen again.

    Everything happens in the thread of the server's loop.

    Parameters
    ----------
    document, page
        The session's document and the model in it.
    stage
        What is shown.
    clock
        Seconds since whenever.
    """

    def __init__(
        self,
        document: Document,
        page: PageModel,
        stage: Stage,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._document = document
        self._page = page
        self._stage = stage
        self._source = stage.source
        self._chosen = ""
        self._wanted = looking_from({})
        self._sent: tuple[Any, ...] = ()
        self._sent_key = ""
        self._sent_s = 0.0
        self._n_waiting = 0
        self._listed_s = 0.0
        self._listing = False
        page.on_change("looking", self._take_looking)
        page.on_change("chosen", self._take_chosen)
        page.on_change("painted", self._take_painted)
        page.on_change("visible", self._take_visible)
        document.add_periodic_callback(self.tick, TICK_MS)
        self.tick()

    def tick(self) -> None:
        """Send a frame if there is a new one and the last one was painted."""
        self._list()
        if not self._page.visible or not self._may_send:
            return
        now = self._source, self._source.number, self._wanted
        if now == self._sent or not self._source.number:
            return
        shown = self._source.shown()
        if shown is None:
            return
        self._sent = now
        made = self._stage.frames.frame(shown, self._wanted)
        # the same result seen otherwise is another picture, which is acknowledged by itself
        self._sent_key = f"{shown.key}#{time.monotonic_ns()}"
        self._sent_s = self._clock()
        self._n_waiting += 1
        self._page.frame = {**made, "sent": self._sent_key, "live": self._chosen == ""}

    @property
    def _may_send(self) -> bool:
        """Whether the last frame was painted, or is waited for no longer."""
        if self._n_waiting == 0:
            return True
        if self._n_waiting > len(DEADLINES_S):
            return False
        return self._clock() - self._sent_s >= DEADLINES_S[self._n_waiting - 1]

    def _take_painted(self, _name: str, _old: str, new: str) -> None:
        if new == self._sent_key:
            self._n_waiting = 0
        elif self._n_waiting > 1:
            self._n_waiting = 1  # an older one: the page is slow, but it is there

    def _take_visible(self, _name: str, _old: bool, _new: bool) -> None:
        self.tick()

    def _take_looking(self, _name: str, _old: Any, new: dict[str, Any]) -> None:
        self._wanted = looking_from(new)
        self.tick()

    def _take_chosen(self, _name: str, _old: str, new: str) -> None:
        library = self._stage.library
        self._page.notice = ""
        if not new or library is None:
            self._source, self._chosen = self._stage.source, ""
            self.tick()
            return

        def opened(done: Future[Any]) -> None:
            if self._page.chosen != new:
                return  # something else was chosen meanwhile
            try:
                self._source, self._chosen = done.result(), new
            except Exception as error:  # whatever a catalogue says, the viewer is told
                self._page.notice = _said(error, "this run cannot be shown")
            self.tick()

        self._later(lambda: library.open(new), opened)

    def _list(self) -> None:
        """Look for stored results every now and then."""
        library = self._stage.library
        if library is None or self._listing or time.monotonic() - self._listed_s < _LIST_EVERY_S:
            return
        self._listing = True

        def listed(done: Future[Any]) -> None:
            self._listing, self._listed_s = False, time.monotonic()
            try:
                entries = [[entry.key, entry.name] for entry in done.result()]
            except Exception as error:
                self._page.notice = _said(error, "the stored runs cannot be listed")
                return
            if entries != self._page.library:
                self._page.library = entries

        self._later(library.entries, listed)

    def _later(self, work: Callable[[], Any], then: Callable[[Future[Any]], None]) -> None:
        """Do something in a thread, and then something with its outcome in the server's loop."""

        def hand_over(done: Future[Any]) -> None:
            try:
                if self._document.session_context is not None:
                    self._document.add_next_tick_callback(lambda: then(done))
            except Exception:  # the browser has gone meanwhile
                _log.debug("a viewer left before its answer", exc_info=True)

        self._stage.workers.submit(work).add_done_callback(hand_over)


def _said(error: Exception, what: str) -> str:
    """What the viewer reads of an error."""
    if isinstance(error, TwinbeamError):
        return str(error)
    _log.warning("%s", what, exc_info=error)
    return f"{what}: {type(error).__name__}, {error}"
