"""A RunEngine with storage, databroker and the live analysis around it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from twinbeam.live import CoincidenceCallback, Health
from twinbeam.pipeline import Recipe, Result
from twinbeam.profile.environment import in_queue_worker
from twinbeam.profile.live_analysis import InProcess, InService
from twinbeam.profile.raw_registration import RawRegistration
from twinbeam.store import store_result

__all__ = ["Session"]

_log = logging.getLogger(__name__)


class Session:
    """What a beamline process needs besides its devices; a context manager.

    Documents go to storage first (policy `wait`: nothing is ever dropped), then to the live
    analysis, which never blocks the RunEngine.

    Parameters
    ----------
    catalog
        Folder of the catalogue of runs.
    readable
        Folders in which the detector writes raw files.
    recipe
        Recipe of the live analysis in this process; when left out, that of each run's start
        document.
    on_result
        Called with every new live result, in the analysis thread of this process.
    service
        Whether the live analysis runs as a process of its own, which leaves this one to the plans
        and survives it; `recipe` and `on_result` are not used then.
    page
        Whether that process also serves the page people watch.
    tell
        Called with a sentence when something happens to the live service.
    context_managers
        Context managers of the RunEngine; bluesky's own when left out.
    engine
        A RunEngine to use; it is left running at the end. When left out, the session makes one.

    Attributes
    ----------
    RE
        The RunEngine; a call of one that the session made returns a `RunEngineResult`, in the
        worker of a queue server the uids of runs.
    owns_engine
        Whether the session made it.
    catalog
        The open catalogue.
    db
        `databroker.Broker` on its runs.
    writer
        The storage callback.
    analysis
        The live analysis, wherever it runs.
    live
        In this process the `CoincidenceCallback`, otherwise the `LiveLink` to the service; its
        method `plot` is `plot_live`.
    registration
        The callback that makes raw files readable through tiled.
    page
        Address of the page, with its secret; empty without one.
    problems
        Results that could not be stored; empty when all is well.
    """

    def __init__(
        self,
        catalog: str | Path,
        *,
        readable: Iterable[str | Path] = (),
        recipe: Recipe | None = None,
        on_result: Callable[[Result, Health], None] | None = None,
        service: bool = False,
        page: bool = False,
        tell: Callable[[str], None] | None = None,
        context_managers: Sequence[Any] | None = None,
        engine: Any = None,
    ) -> None:
        # first, for it chooses ophyd's Channel Access client, and databroker imports ophyd
        import twinbeam.devices  # noqa: F401, I001
        from bluesky.run_engine import RunEngine

        from twinbeam.store import RunWriter, open_catalog

        self.owns_engine = engine is None
        with ExitStack() as closing:
            self.catalog = closing.enter_context(open_catalog(catalog, readable=readable))
            self.db = self.catalog.broker()
            self.writer = RunWriter(self.catalog, tell=tell)
            closing.callback(self.writer.close)
            self._on_result = on_result
            self.problems: list[str] = []
            self.page = ""
            self.analysis: InProcess | InService
            self.live: Any
            if service:
                self.analysis = InService(self.catalog, tell, page=page)
                self.page = self.analysis.process.page
                self.live = self.analysis.link
            else:
                self.live = CoincidenceCallback(recipe, self._take_result)
                self.analysis = InProcess(self.live)
            self.live.plot = self.plot_live
            closing.callback(self.analysis.close)
            self.registration = RawRegistration(self.catalog)
            closing.callback(self.registration.close)
            # what a plan found would go to the manager of a queue, which has to import all of
            # twinbeam to read it, gives up meanwhile, and takes the plan for failed
            engine_options: dict[str, Any] = {"call_returns_result": not in_queue_worker()}
            if context_managers is not None:
                engine_options["context_managers"] = list(context_managers)
            if engine is None:
                self.RE = RunEngine({"scan_id": _last_scan_id(self.catalog)}, **engine_options)
                closing.callback(self._stop_loop)
            else:
                self.RE = engine
            for callback in (self.writer, self.analysis, self.registration):
                closing.callback(self.RE.unsubscribe, self.RE.subscribe(callback))
            self._closing = closing.pop_all()

    def _take_result(self, result: Result, health: Health) -> None:
        """Store the final result beside its run, then pass it on; runs in the analysis thread."""
        if health.state in ("complete", "damaged", "interrupted"):
            try:
                store_result(self.catalog, health.run, result, health.problems)
            except Exception as error:  # whatever tiled raises must not stop the analysis
                _log.exception("the result of run %s is not stored", health.run)
                self.problems.append(f"result of run {health.run} not stored: {error}")
        if self._on_result is not None:
            self._on_result(result, health)

    def plot_live(self, *, show: bool = True) -> Any:
        """Draw the newest live result with Matplotlib: Δt, coincidence map, twin images.

        Returns the figure. Where windows can be shown it is drawn in one, anew with each call.

        Parameters
        ----------
        show
            Whether a window may be used.

        Raises
        ------
        TwinbeamError
            If there is no result yet.
        """
        from twinbeam.view import plot

        return plot(self.live, self.catalog, show=show)

    def _stop_loop(self) -> None:
        """End the RunEngine's event loop and its thread."""
        loop, thread = self.RE.loop, self.RE._th
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5.0)
        if not thread.is_alive():
            loop.close()

    def close(self) -> None:
        """Store and analyse what is left, then end all threads; may be called again.

        Raises
        ------
        StorageError
            If a run could not be stored completely.
        """
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _last_scan_id(catalog: Any) -> int:
    """Scan id of the newest stored run, 0 when there is none, so that ids go on over restarts."""
    runs = catalog.raw
    if not len(runs):
        return 0
    return int(runs.values().last().metadata["start"].get("scan_id", 0))
