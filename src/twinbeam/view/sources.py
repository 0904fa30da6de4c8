"""Where a page takes what it shows from: the live service, or what is stored."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol

from twinbeam.live.showcase import Scene, Showcase
from twinbeam.view.frame import frame
from twinbeam.view.library import FixedSource, Library, StoredEntry
from twinbeam.view.looking import Looking
from twinbeam.view.shown import Shown, shown_scene
from twinbeam.view.shown_scan import ShownScan
from twinbeam.view.stories import Stories
from twinbeam.view.story import Story

__all__ = ["FixedSource", "FrameCache", "Library", "LiveSource", "Source", "StoredEntry"]

_PENDING_S = 4.0  # so long a run that has begun may show nothing


class Source(Protocol):
    """Something that can be looked at and may change."""

    @property
    def number(self) -> int:
        """Changes when there is something new; 0 when there is nothing yet."""

    def shown(self) -> Shown | ShownScan | None:
        """What there is to see now."""

    def look(self) -> None:
        """Look for what is new; may take a while, and is called every now and then."""


class LiveSource:
    """The run that goes on: the newest scene of a showcase, or the scan that began after it.

    What else its documents tell is read from the JSON lines, if the showcase knows them.

    Parameters
    ----------
    showcase
        Where the live analysis puts its results.
    clock
        Seconds since whenever.
    """

    def __init__(self, showcase: Showcase, clock: Callable[[], float] = time.monotonic) -> None:
        self._showcase = showcase
        self._clock = clock
        self._stories = Stories(showcase.lines) if showcase.lines is not None else None
        self._pending: tuple[str, float] = ("", 0.0)
        self._late, self._n_late = "", 0
        self._made: tuple[tuple[int, ...], Shown | ShownScan | None] = ((), None)

    @property
    def _numbers(self) -> tuple[int, ...]:
        stories = self._stories
        return self._showcase.number, 0 if stories is None else stories.number, self._n_late

    @property
    def number(self) -> int:
        """Grows with every scene, and with everything the documents tell."""
        return sum(self._numbers)

    def shown(self) -> Shown | ShownScan | None:
        """The newest run; the same object for all who look at the same state of it."""
        numbers = self._numbers
        if numbers != self._made[0]:
            self._made = numbers, self._make(self._showcase.latest)
        return self._made[1]

    def _make(self, scene: Scene | None) -> Shown | ShownScan | None:
        stories = self._stories
        if stories is None:
            return None if scene is None else shown_scene(scene)
        newest, disks = stories.newest, stories.disks
        if newest is not None and (scene is None or _is_newer(newest, scene)):
            if self._is_pending(newest) and self._made[1] is not None:
                return self._made[1]  # what was seen stays until there is something of the new run
            key = f"{newest.run}/documents/{newest.version}/{self._n_late}"
            return ShownScan(key, newest, disks, live=True)
        return None if scene is None else shown_scene(scene, stories.of(scene.update.run), disks)

    def _is_pending(self, newest: Story) -> bool:
        """Whether a run has just begun and there is nothing of it to be seen yet."""
        if newest.stop is not None or newest.points:
            return False
        if self._pending[0] != newest.run:
            self._pending = newest.run, self._clock()
        return self._clock() - self._pending[1] < _PENDING_S

    def look(self) -> None:
        """Read what is new in the JSON lines."""
        if self._stories is None:
            return
        self._stories.look()
        run, since_s = self._pending
        if run and run != self._late and self._clock() - since_s >= _PENDING_S:
            self._late = run
            self._n_late += 1


def _is_newer(newest: Story, scene: Scene) -> bool:
    """Whether a run began after the one of a scene, which is shown until all of it is counted."""
    behind = newest.has_raw_data and not scene.update.final
    if newest.run == scene.update.run or behind:
        return False
    began_s = scene.start.get("time")
    return not isinstance(began_s, int | float) or newest.began_s > float(began_s)


class FrameCache:
    """Frames that were made lately, so that many who see the same cost as much as one."""

    def __init__(self, most: int = 16) -> None:
        self._most = most
        self._made: OrderedDict[tuple[str, Looking], dict[str, Any]] = OrderedDict()

    def frame(self, shown: Shown | ShownScan, looking: Looking) -> dict[str, Any]:
        """The frame of a result; not to be changed."""
        key = shown.key, looking
        if key not in self._made:
            self._made[key] = frame(shown, looking)
            while len(self._made) > self._most:
                self._made.popitem(last=False)
        self._made.move_to_end(key)
        return self._made[key]
