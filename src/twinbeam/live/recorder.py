"""Results of the live service into tiled."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from twinbeam.live.hand_over import HandOver
from twinbeam.live.update import Update
from twinbeam.pipeline import Result
from twinbeam.store import Catalog, RunWriter, store_result, write_derived

__all__ = ["Recorder"]

_log = logging.getLogger(__name__)
_INTERVAL_S = 1.0
_SHARE = 3.0  # so many times as long as the writing took, nothing is written
_LIVE_ARRAYS = ("coincidence", "signal", "idler", "dt", "dt_accidental", "detuning")
_PAIRS = "live_pairs"


class Recorder:
    """Writes maps about once a second, pairs as they come, and the whole result at the end.

    A thread does it; when tiled is slow, maps in between are left out (policy `drop`), while the
    documents of the derived run and the final result wait (policy `wait`). When tiled is gone that
    is remembered and tried again with the next result; the final one is tried until `close`.

    Parameters
    ----------
    catalog
        An open catalogue, embedded or on a server.
    on_stored
        Called with the final update and the digest of its result when that is stored.

    Attributes
    ----------
    problems
        What could not be stored, each said once.
    """

    def __init__(
        self, catalog: Catalog, on_stored: Callable[[Update, str], None] | None = None
    ) -> None:
        self._catalog = catalog
        self._on_stored = on_stored
        self._writer = RunWriter(catalog, container="processed")
        self.problems: list[str] = []
        self._documents = HandOver(self._document, "twinbeam-processed")
        self._newest: tuple[Update, Result] | None = None
        self._finals: list[tuple[Update, Result]] = []
        self._appended: tuple[str, str, int] = ("", "", 0)
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="twinbeam-record", daemon=True)
        self._thread.start()

    def update(self, update: Update, result: Result) -> None:
        """A new result; returns at once."""
        with self._changed:
            if update.final:
                self._finals.append((update, result))
            else:
                self._newest = update, result
            self._changed.notify_all()

    def document(self, name: str, doc: dict[str, Any]) -> None:
        """A document of the derived run; returns at once."""
        self._documents.put(name, doc)

    def wait(self, timeout_s: float) -> bool:
        """Wait until all final results are stored; whether that happened in time."""
        with self._changed:
            done = self._changed.wait_for(lambda: not self._finals, timeout_s)
        return done and self._documents.join(timeout_s)

    def close(self, timeout_s: float = 10.0) -> None:
        """Store what is waiting and end the thread."""
        self.wait(timeout_s)
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        self._documents.close(timeout_s)
        try:
            self._writer.close(timeout_s)
        except Exception as error:
            self._note(f"derived runs: {error}")

    def _note(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)
            _log.warning("%s", problem)

    def _document(self, name: str, doc: dict[str, Any]) -> None:
        try:
            self._writer(name, doc)
        except Exception as error:
            self._note(f"a {name} document of a derived run is not stored: {error}")

    # --- the thread -------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self._newest or self._finals)
                if self._closing:
                    return
                final = self._finals[0] if self._finals else None
                newest, self._newest = self._newest, None
            began_s = time.monotonic()
            if final is not None:
                self._store_final(*final)
            elif newest is not None:
                self._store_live(*newest)
            # a server that is slow, as it has other work, is asked less often
            self._pause(max(_INTERVAL_S, _SHARE * (time.monotonic() - began_s)))

    def _pause(self, lasts_s: float) -> None:
        until_s = time.monotonic() + lasts_s
        with self._changed:
            while not self._closing and not self._finals and time.monotonic() < until_s:
                self._changed.wait(until_s - time.monotonic())

    def _store_final(self, update: Update, result: Result) -> None:
        try:
            store_result(self._catalog, update.run, result, update.health.problems)
            self._say_source(update)
            self._drop_live_pairs(update)
        except Exception as error:
            self._note(f"result of run {update.run} not stored yet: {error}")
            with self._changed:  # one that is always refused must not hold up the others
                self._finals.append(self._finals.pop(0))
            self._sleep_before_next_try()
            return
        with self._changed:
            self._finals.pop(0)
            self._changed.notify_all()
        if self._on_stored is not None:
            self._on_stored(update, result.digest())

    def _say_source(self, update: Update) -> None:
        """Tell where the bytes are from if no raw files can show it."""
        health = update.health
        if health.source == "files":
            return
        node = self._catalog.client["derived", update.run, update.recipe_hash]
        told = {"bytes": health.stream_bytes, "dropped_bytes": health.stream_dropped_bytes}
        node.update_metadata({"source": health.source, "stream": told})

    def _sleep_before_next_try(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing, 2.0)

    def _store_live(self, update: Update, result: Result) -> None:
        arrays = {name: result.arrays[name] for name in _LIVE_ARRAYS}
        about = {"summary": dict(update.summary), "version": update.version, "live": True}
        try:
            node = write_derived(
                self._catalog,
                update.run,
                update.recipe_hash,
                arrays,
                {**about, "recipe": result.recipe.as_dict(), "lag_s": update.lag_s},
            )
            self._append_pairs(node, update, result)
        except Exception as error:
            self._note(f"live maps of run {update.run} not stored: {error}")

    def _append_pairs(self, node: Any, update: Update, result: Result) -> None:
        """Append the pairs found since the last time, or all of them to a new table."""
        import pyarrow as pa

        run, recipe_hash, n = self._appended
        pairs = result.pairs
        goes_on = (run, recipe_hash) == (update.run, update.recipe_hash) and n <= len(pairs)
        if not goes_on:
            n = 0
        columns = {name: column[n:] for name, column in pairs.columns().items()}
        table = pa.table(columns)
        if not goes_on and _PAIRS in node:
            node.delete_contents(_PAIRS, external_only=False)
        if not goes_on:
            node.create_appendable_table(table.schema, key=_PAIRS)
        if len(pairs) > n:
            node[_PAIRS].append_partition(0, table)
        self._appended = update.run, update.recipe_hash, len(pairs)

    def _drop_live_pairs(self, update: Update) -> None:
        node = self._catalog.client["derived", update.run, update.recipe_hash]
        if _PAIRS in node:
            node.delete_contents(_PAIRS, external_only=False)
        self._appended = ("", "", 0)
