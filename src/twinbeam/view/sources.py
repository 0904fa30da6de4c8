"""Where a page takes what it shows from: the live service, or what is stored."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from twinbeam.live.showcase import Showcase
from twinbeam.view.frame import frame
from twinbeam.view.looking import Looking
from twinbeam.view.shown import Shown, shown_scene, shown_stored

if TYPE_CHECKING:
    from twinbeam.store import Catalog

__all__ = ["FixedSource", "FrameCache", "Library", "LiveSource", "Source", "StoredEntry"]

_MOST_LISTED = 40
_MOST_OPEN = 6


class Source(Protocol):
    """Something that can be looked at and may change."""

    @property
    def number(self) -> int:
        """Changes when there is something new; 0 when there is nothing yet."""

    def shown(self) -> Shown | None:
        """What there is to see now."""


class LiveSource:
    """The newest scene of a showcase."""

    def __init__(self, showcase: Showcase) -> None:
        self._showcase = showcase
        self._made: tuple[int, Shown | None] = (0, None)

    @property
    def number(self) -> int:
        """Number of the newest scene."""
        return self._showcase.number

    def shown(self) -> Shown | None:
        """The newest scene; the same object for all who look at the same one."""
        scene = self._showcase.latest
        if scene is not None and scene.number != self._made[0]:
            self._made = scene.number, shown_scene(scene)
        return self._made[1]


class FixedSource:
    """A result that does not change any more."""

    number = 1

    def __init__(self, shown: Shown) -> None:
        self._shown = shown

    def shown(self) -> Shown:
        """The result."""
        return self._shown


@dataclass(frozen=True)
class StoredEntry:
    """A stored result in a list.

    Attributes
    ----------
    key
        Run and recipe, as `Library.open` wants them.
    name
        What is shown.
    """

    key: str
    name: str


class Library:
    """The stored results of a catalogue, the newest first; calls may take long and come from any
    thread.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._asking = threading.Lock()
        self._names: dict[str, str] = {}
        self._open: OrderedDict[str, FixedSource] = OrderedDict()

    def entries(self) -> list[StoredEntry]:
        """What is stored.

        Raises
        ------
        StorageError
            If the catalogue cannot be read.
        """
        from twinbeam.store import stored_recipes

        with self._asking:
            runs = list(self._catalog.client["derived"].keys().tail(_MOST_LISTED))
            found = []
            for run in reversed(runs):
                for recipe_hash in stored_recipes(self._catalog, run):
                    name = f"{self._name(run)} · {recipe_hash[:6]}"
                    found.append(StoredEntry(f"{run}/{recipe_hash}", name))
            return found

    def _name(self, run: str) -> str:
        from datetime import datetime

        if run not in self._names:
            raw = self._catalog.raw
            start: Any = raw[run].metadata["start"] if run in raw else {}
            when = datetime.fromtimestamp(float(start["time"])).strftime("%m-%d %H:%M")
            self._names[run] = f"scan {start.get('scan_id', '?')} · {when}" if start else run[:8]
        return self._names[run]

    def open(self, key: str) -> FixedSource:
        """A stored result.

        Raises
        ------
        StorageError
            If there is none of that key.
        """
        with self._asking:
            if key not in self._open:
                run, _, recipe_hash = key.partition("/")
                self._open[key] = FixedSource(shown_stored(self._catalog, run, recipe_hash))
                while len(self._open) > _MOST_OPEN:
                    self._open.popitem(last=False)
            self._open.move_to_end(key)
            return self._open[key]


class FrameCache:
    """Frames that were made lately, so that many who see the same cost as much as one."""

    def __init__(self, most: int = 16) -> None:
        self._most = most
        self._made: OrderedDict[tuple[str, Looking], dict[str, Any]] = OrderedDict()

    def frame(self, shown: Shown, looking: Looking) -> dict[str, Any]:
        """The frame of a result; not to be changed."""
        key = shown.key, looking
        if key not in self._made:
            self._made[key] = frame(shown, looking)
            while len(self._made) > self._most:
                self._made.popitem(last=False)
        self._made.move_to_end(key)
        return self._made[key]
