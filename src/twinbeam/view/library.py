"""What is stored in a catalogue, to choose from."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from twinbeam.errors import StorageError
from twinbeam.view.shown import Shown, shown_stored
from twinbeam.view.shown_scan import ShownScan, stored_story

if TYPE_CHECKING:
    from twinbeam.store import Catalog

__all__ = ["FixedSource", "Library", "StoredEntry"]

_MOST_LISTED = 60
_MOST_OPEN = 6
_LIST_S = 10.0  # so long a list serves all who ask for it
_AGAIN_S = 120.0  # between two looks at the results of a run that is not new
_NEW = 4


class FixedSource:
    """A run that does not change any more."""

    number = 1

    def __init__(self, shown: Shown | ShownScan) -> None:
        self._shown = shown

    def shown(self) -> Shown | ShownScan:
        """The run."""
        return self._shown

    def look(self) -> None:
        """There is nothing new."""


@dataclass(frozen=True)
class StoredEntry:
    """A stored run in a list.

    Attributes
    ----------
    key
        Run and recipe, as `Library.open` wants them; a run without a result has no recipe.
    name
        What is shown.
    """

    key: str
    name: str


class Library:
    """The stored runs of a catalogue, the newest first; calls may take long and come from any
    thread.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._asking = threading.Lock()
        self._names: dict[str, str] = {}
        self._open: OrderedDict[str, FixedSource] = OrderedDict()
        self._listed: tuple[float, list[StoredEntry]] = (-_LIST_S, [])
        self._recipes: dict[str, tuple[float, tuple[str, ...]]] = {}

    def entries(self) -> list[StoredEntry]:
        """What is stored: each result of a run, and runs without one.

        Raises
        ------
        StorageError
            If the catalogue cannot be read.
        """
        with self._asking:
            if time.monotonic() - self._listed[0] < _LIST_S:
                return self._listed[1]
            runs = list(self._catalog.raw.keys().tail(_MOST_LISTED))
            results = list(self._catalog.client["derived"].keys().tail(_MOST_LISTED))
            alone = [run for run in results if run not in runs]  # whose run was not kept
            found = []
            for at, run in enumerate(reversed([*alone, *runs])):
                recipes = self._recipes_of(run, new=at < _NEW) if run in results else ()
                for recipe_hash in recipes:
                    more = f" · recipe {recipe_hash[:6]}" if len(recipes) > 1 else ""
                    found.append(StoredEntry(f"{run}/{recipe_hash}", f"{self._name(run)}{more}"))
                if not recipes:
                    found.append(StoredEntry(f"{run}/", self._name(run)))
            self._listed = time.monotonic(), found
            return found

    def _recipes_of(self, run: str, *, new: bool) -> tuple[str, ...]:
        from twinbeam.store import stored_recipes

        asked_s, recipes = self._recipes.get(run, (-_AGAIN_S, ()))
        if new or time.monotonic() - asked_s > _AGAIN_S:
            recipes = stored_recipes(self._catalog, run)
            self._recipes[run] = time.monotonic(), recipes
        return recipes

    def _name(self, run: str) -> str:
        if run not in self._names:
            raw = self._catalog.raw
            start: Any = raw[run].metadata["start"] if run in raw else {}
            if start:
                when = datetime.fromtimestamp(float(start["time"])).strftime("%m-%d %H:%M")
                plan = start.get("plan_name", "run")
                self._names[run] = f"{start.get('scan_id', '?')} · {plan} · {when}"
            else:
                self._names[run] = run[:8]
        return self._names[run]

    def open(self, key: str) -> FixedSource:
        """A stored run.

        Raises
        ------
        StorageError
            If there is none of that key.
        """
        with self._asking:
            if key not in self._open:
                run, _, recipe_hash = key.partition("/")
                self._open[key] = FixedSource(self._look_up(run, recipe_hash))
                while len(self._open) > _MOST_OPEN:
                    self._open.popitem(last=False)
            self._open.move_to_end(key)
            return self._open[key]

    def _look_up(self, run: str, recipe_hash: str) -> Shown | ShownScan:
        if recipe_hash:
            return shown_stored(self._catalog, run, recipe_hash)
        story = stored_story(self._catalog, run) if run in self._catalog.raw else None
        if story is None:
            raise StorageError("no such run is stored", where=run, hint="choose one of the list")
        return ShownScan(f"{run}/documents/stored", story)
