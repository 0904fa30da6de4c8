"""The callback that turns a run's raw files into pairs and images while the run goes on."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from twinbeam.live.hand_over import HandOver
from twinbeam.live.health import Health
from twinbeam.live.reduction import Reduction
from twinbeam.pipeline import Recipe, Result
from twinbeam.store import Relocations, raw_detectors

__all__ = ["CoincidenceCallback"]


class CoincidenceCallback:
    """Subscribe it to a RunEngine, or give it the documents of a stored run: the same code.

    A call only queues the document (microseconds) and never raises; reading and analysis happen in
    a thread of its own. Runs without raw files of a Timepix3 are ignored. The result of the latest
    run with raw files is in `result`, and what is wrong with it in `health`.

    Parameters
    ----------
    recipe
        Recipe to use; when left out, the one in the run's start document, or the default.
    on_result
        Called in the analysis thread with every new result and the health that belongs to it.
    relocations
        Folders of raw files that were moved since their runs: `Relocations.of(catalog)`.
    """

    def __init__(
        self,
        recipe: Recipe | None = None,
        on_result: Callable[[Result, Health], None] | None = None,
        *,
        relocations: Relocations | None = None,
    ) -> None:
        self._relocations = relocations
        self._recipe = recipe
        self._on_result = on_result
        self._start: Mapping[str, Any] | None = None
        self._reduction: Reduction | None = None
        self._latest: tuple[Result | None, Health] = (None, Health())
        self._thread = HandOver(self._handle, "twinbeam-live")

    def __call__(self, name: str, doc: Mapping[str, Any]) -> None:
        """Take one document."""
        if name in ("start", "descriptor", "event", "event_page", "stop"):
            self._thread.put(name, copy.copy(doc))

    @property
    def latest(self) -> tuple[Result | None, Health]:
        """Result and health that belong together."""
        return self._latest

    @property
    def result(self) -> Result | None:
        """Result of the latest run with raw files; None before there is one."""
        return self._latest[0]

    @property
    def health(self) -> Health:
        """How the analysis of that run is doing."""
        return self._latest[1]

    @property
    def errors(self) -> list[str]:
        """Failures of the analysis itself, which should never be; empty when there were none."""
        return self._thread.errors

    def interrupt(self) -> None:
        """Close a run whose documents ended without a stop, so that its result is final.

        The start of the next run does so too. Nothing happens when no run is open.
        """
        self._thread.put("interrupt", {})

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until every document given so far is worked off; whether that happened in time."""
        return self._thread.join(timeout_s)

    def close(self) -> None:
        """Work off what was given, however long that takes, and end the thread."""
        self._thread.close(None)

    def _handle(self, name: str, doc: Mapping[str, Any]) -> None:
        if name == "stop" and (self._start is None or doc["run_start"] != self._start["uid"]):
            return
        if name in ("start", "interrupt", "stop"):
            open_one, self._reduction = self._reduction, None
            self._start = doc if name == "start" else None
            if open_one is not None:
                # the runs of one RunEngine follow each other, unless it died within one
                open_one.stop(interrupted=name != "stop")
        elif self._start is None:
            return
        elif name == "descriptor":
            self._descriptor(doc)
        elif self._reduction is None:
            return
        elif name == "event":
            self._reduction.event(str(doc["descriptor"]), doc["data"])
        elif name == "event_page":
            for row in range(len(doc["seq_num"])):
                data = {key: column[row] for key, column in doc["data"].items()}
                self._reduction.event(str(doc["descriptor"]), data)

    def _descriptor(self, doc: Mapping[str, Any]) -> None:
        assert self._start is not None
        if not raw_detectors(doc):
            return
        known = self._reduction
        if self._reduction is None:
            try:
                self._reduction = Reduction(
                    self._start, self._recipe, self._publish, self._relocations
                )
            except Exception as error:
                # an older run's result must not pass for this one's
                uid, problem = str(self._start["uid"]), f"{type(error).__name__}: {error}"
                self._latest = (None, Health(run=uid, state="failed", problems=(problem,)))
                raise
        self._reduction.descriptor(doc)
        if known is None:
            self._publish(self._reduction)

    def _publish(self, reduction: Reduction) -> None:
        self._latest = (reduction.result, reduction.health)
        if self._on_result is not None:
            self._on_result(reduction.result, reduction.health)
