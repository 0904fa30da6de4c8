"""What the documents of a run tell besides its photons: plan, scan curve, conditions, its end."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from twinbeam.store import raw_detectors
from twinbeam.view.curve import Axes, axes_of, point_of

__all__ = ["Reading", "Story", "StoryTeller"]

_MOST_POINTS = 20_000  # of a scan; later ones are counted only


@dataclass(frozen=True)
class Reading:
    """The newest value of something that is not scanned.

    Attributes
    ----------
    value
        Number or text.
    unit
        As the descriptor tells it; empty when it does not.
    """

    value: float | str
    unit: str


@dataclass(frozen=True, eq=False)
class Story:
    """A run as far as it is told.

    Attributes
    ----------
    start
        Start document.
    stop
        Stop document; None while the run goes on.
    axes
        What is scanned against what; None when the run is no scan of one dimension.
    points
        x, y and standard error of y of each point, in order; the error is NaN where unknown.
    n_points
        How many there were.
    readings
        By key: baseline, conditions, monitors, and temperatures of the detector.
    has_raw_data
        Whether its events name raw files.
    raw_folder
        Folder of its raw files, as a URI.
    newest_s
        Time of the newest document, in seconds since the epoch.
    version
        Grows with what is told.
    """

    start: Mapping[str, Any]
    stop: Mapping[str, Any] | None = None
    axes: Axes | None = None
    points: tuple[tuple[float, float, float], ...] = ()
    n_points: int = 0
    readings: Mapping[str, Reading] = field(default_factory=dict)
    has_raw_data: bool = False
    raw_folder: str = ""
    newest_s: float = math.nan
    version: int = 0

    @property
    def run(self) -> str:
        """Uid of the run."""
        return str(self.start["uid"])

    @property
    def began_s(self) -> float:
        """When the run began, in seconds since the epoch; NaN when that is not said."""
        time_s = self.start.get("time")
        return float(time_s) if isinstance(time_s, int | float) else math.nan


class StoryTeller:
    """Makes a story of the documents of one run, given in order.

    Parameters
    ----------
    start
        Start document.
    """

    def __init__(self, start: Mapping[str, Any]) -> None:
        self._start = start
        self._stop: Mapping[str, Any] | None = None
        self._streams: dict[str, Mapping[str, Any]] = {}  # descriptors by uid
        self._scanned: tuple[str, Axes] | None = None
        self._points: list[tuple[float, float, float]] = []
        self._n_points = 0
        self._readings: dict[str, Reading] = {}
        self._raw: set[str] = set()
        self._raw_folder = ""
        time_s = start.get("time")
        self._newest_s = float(time_s) if isinstance(time_s, int | float) else math.nan
        self._version = 1
        self._told: Story | None = None

    def take(self, name: str, doc: Mapping[str, Any]) -> bool:
        """Take a document; whether there is something to tell because of it."""
        before = self._version
        if name == "descriptor":
            self._descriptor(doc)
        elif name == "event":
            self._event(str(doc["descriptor"]), doc["data"], doc.get("time"))
        elif name == "event_page":
            for row in range(len(doc["seq_num"])):
                data = {key: column[row] for key, column in doc["data"].items()}
                self._event(str(doc["descriptor"]), data, doc["time"][row])
        elif name == "stop":
            self._stop = dict(doc)
            self._note_time(doc.get("time"))
            self._version += 1
        return self._version != before

    @property
    def story(self) -> Story:
        """What is told up to now."""
        if self._told is None or self._told.version != self._version:
            self._told = Story(
                start=self._start,
                stop=self._stop,
                axes=self._scanned[1] if self._scanned is not None else None,
                points=tuple(self._points),
                n_points=self._n_points,
                readings=dict(self._readings),
                has_raw_data=bool(self._raw),
                raw_folder=self._raw_folder,
                newest_s=self._newest_s,
                version=self._version,
            )
        return self._told

    def _note_time(self, time_s: Any) -> None:
        if isinstance(time_s, int | float):
            self._newest_s = float(time_s)

    def _descriptor(self, doc: Mapping[str, Any]) -> None:
        uid = str(doc["uid"])
        self._streams[uid] = doc
        self._version += 1
        if raw_detectors(doc):
            self._raw.add(uid)
        axes = axes_of(self._start, doc)
        if axes is not None and self._scanned is None:
            self._scanned = uid, axes
        for device in (doc.get("configuration") or {}).values():
            for key, value in device["data"].items():
                if "temperature" in key:
                    self._note(key, value, device["data_keys"].get(key, {}))

    def _event(self, uid: str, data: Mapping[str, Any], time_s: Any) -> None:
        descriptor = self._streams.get(uid)
        if descriptor is None:
            return
        self._note_time(time_s)
        if uid in self._raw:
            for key, value in data.items():
                if key.endswith("_raw_uri") and not self._raw_folder:
                    self._raw_folder = str(value)
                    self._version += 1
            return
        for key, value in data.items():
            self._note(key, value, descriptor["data_keys"].get(key, {}))
        if self._scanned is not None and uid == self._scanned[0]:
            self._n_points += 1
            self._version += 1
            if len(self._points) < _MOST_POINTS:
                self._points.append(point_of(self._scanned[1], data))

    def _note(self, key: str, value: Any, about: Mapping[str, Any]) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return
        made = Reading(value, str(about.get("units") or ""))
        if self._readings.get(key) != made:
            self._readings[key] = made
            self._version += 1
