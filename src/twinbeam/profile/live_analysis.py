"""The live analysis of a session: a thread of this process, or the live service."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from twinbeam.live import CoincidenceCallback, Health, LiveLink
from twinbeam.pipeline import summary
from twinbeam.profile.live_process import LiveProcess
from twinbeam.store import Catalog, serve_catalog

__all__ = ["InProcess", "InService", "LiveAnalysis"]


class LiveAnalysis(Protocol):
    """What a session needs of it, wherever it runs."""

    def __call__(self, name: str, doc: Mapping[str, Any]) -> None:
        """Take a document; never blocks, never raises."""

    def look(self) -> tuple[Mapping[str, Any] | None, Health]:
        """Numbers of the newest result, and how the analysis is doing."""

    def finish(self, run: str, timeout_s: float) -> str | None:
        """Wait for a run's final result; its digest, None when it is not there in time."""

    @property
    def problems(self) -> list[str]:
        """What went wrong, each said once."""

    def close(self) -> None:
        """Finish and end it."""


class InProcess:
    """A `CoincidenceCallback` in a thread of this process."""

    def __init__(self, callback: CoincidenceCallback) -> None:
        self.callback = callback
        self._seen: tuple[str, int] = ("", -1)
        self._values: Mapping[str, Any] | None = None

    def __call__(self, name: str, doc: Mapping[str, Any]) -> None:
        """Take a document."""
        self.callback(name, doc)

    def look(self) -> tuple[Mapping[str, Any] | None, Health]:
        """Numbers of the newest result, and how the analysis is doing."""
        result, health = self.callback.latest
        if result is not None and (health.run, health.version) != self._seen:
            self._seen = (health.run, health.version)
            self._values = summary(result)
        return self._values, health

    def finish(self, run: str, timeout_s: float) -> str | None:
        """Wait for a run's final result; its digest."""
        self.callback.wait(timeout_s)
        result, health = self.callback.latest
        return result.digest() if result is not None and health.run == run else None

    @property
    def problems(self) -> list[str]:
        """Failures of the analysis itself, and what is wrong with the data."""
        return list(dict.fromkeys([*self.callback.health.problems, *self.callback.errors]))

    def close(self) -> None:
        """Work off what was given and end the thread."""
        self.callback.close()


class InService:
    """The live service as a child of this process, which serves it the catalogue of a folder.

    Parameters
    ----------
    catalog
        An open catalogue; the service's checkpoints and log lie beside its JSON lines.
    tell
        Called with a sentence when something happens to the service.
    page
        Whether the service serves the page people watch.
    """

    def __init__(
        self, catalog: Catalog, tell: Callable[[str], None] | None = None, *, page: bool = False
    ) -> None:
        from twinbeam.live import new_token

        self._told: list[str] = []
        self._tell = tell
        token = new_token()
        self._server = serve_catalog(catalog) if catalog.embedded else None
        try:
            self.process = LiveProcess(
                catalog.documents_directory,
                catalog.documents_directory.parent / "live",
                token=token,
                catalog=catalog.where if self._server is None else self._server.uri,
                api_key=catalog.client.context.api_key,
                page=page,
                tell=self._say,
            )
        except BaseException:
            if self._server is not None:
                self._server.close()
            raise
        ends = self.process.endpoints
        self.link = LiveLink(
            ends["documents"], ends["results"], ends["control"], token, tell=self._say
        )

    def _say(self, sentence: str) -> None:
        self._told.append(sentence)
        if self._tell is not None:
            self._tell(sentence)

    def __call__(self, name: str, doc: Mapping[str, Any]) -> None:
        """Take a document."""
        self.link(name, doc)

    def look(self) -> tuple[Mapping[str, Any] | None, Health]:
        """Numbers of the newest result, and how the analysis is doing."""
        update = self.link.latest
        return (None, Health()) if update is None else (update.summary, update.health)

    def finish(self, run: str, timeout_s: float) -> str | None:
        """Wait until a run's final result is stored; its digest."""
        began_s = time.monotonic()
        update = self.link.wait_final(run, timeout_s)
        if update is None or not update.final:
            return None
        left_s = max(0.0, timeout_s - (time.monotonic() - began_s))
        return self.link.wait_stored(run, update.recipe_hash, left_s)

    @property
    def problems(self) -> list[str]:
        """What went wrong at either end, and what is wrong with the data."""
        health = self.look()[1]
        return list(dict.fromkeys([*health.problems, *self.link.problems, *self._told]))

    def close(self) -> None:
        """End the service; what is unfinished it goes on with when it is started again."""
        self.link.close()
        self.process.close()
        if self._server is not None:
            self._server.close()
