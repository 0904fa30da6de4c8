"""Registers a run's raw files in the catalogue when the run is over."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twinbeam.errors import TwinbeamError
from twinbeam.live import HandOver
from twinbeam.store import Catalog, raw_detectors, raw_files, register_raw

__all__ = ["RawRegistration"]

_log = logging.getLogger(__name__)


class RawRegistration:
    """Callback that makes the hits of every run readable through tiled under `hits/<uid>`.

    It works in a thread of its own; what cannot be registered is kept in `problems`, and neither
    the run nor the raw files are touched.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._uid = ""
        self._detectors: dict[str, tuple[str, ...]] = {}
        self._paths: list[Path] = []
        self.problems: list[str] = []
        self._thread = HandOver(self._handle, "twinbeam-register")

    def __call__(self, name: str, doc: Mapping[str, Any]) -> None:
        """Take one document."""
        self._thread.put(name, doc)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until everything so far is registered; whether that happened in time."""
        return self._thread.join(timeout_s)

    def close(self) -> None:
        """Finish and end the thread."""
        self._thread.close()

    def _handle(self, name: str, doc: Mapping[str, Any]) -> None:
        if name == "start":
            self._uid, self._detectors, self._paths = str(doc["uid"]), {}, []
        elif name == "descriptor":
            self._detectors[str(doc["uid"])] = raw_detectors(doc)
        elif name == "event":
            self._note(str(doc["descriptor"]), doc["data"])
        elif name == "event_page":
            for row in range(len(doc["seq_num"])):
                data = {key: column[row] for key, column in doc["data"].items()}
                self._note(str(doc["descriptor"]), data)
        elif name == "stop" and self._paths:
            self._register()

    def _note(self, descriptor: str, data: Mapping[str, Any]) -> None:
        for detector in self._detectors.get(descriptor, ()):
            try:
                self._paths.extend(raw_files(data, detector).paths)
            except TwinbeamError as error:
                self.problems.append(str(error))

    def _register(self) -> None:
        try:
            register_raw(self._catalog, self._uid, self._paths)
        except TwinbeamError as error:
            _log.warning("raw files of run %s are not registered: %s", self._uid, error)
            self.problems.append(str(error))
