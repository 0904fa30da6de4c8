"""What collections before this one have, as when their process died."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from twinbeam.errors import BeamlineError, RawDataError, StorageError
from twinbeam.pairs import Estimate
from twinbeam.pipeline import Recipe, process, recipe_of_start, summary
from twinbeam.plans._arguments import is_number
from twinbeam.plans.live_results import LiveNumbers
from twinbeam.plans.report import report, say
from twinbeam.store import (
    Catalog,
    LeftOverFinder,
    Relocations,
    raw_detectors,
    raw_files,
    read_documents,
)

__all__ = [
    "Collected",
    "Earlier",
    "EarlierRuns",
    "check_same_detuning",
    "continuing",
    "earlier_runs",
    "enough_before",
    "found_before",
]

_PLAN = "collect_pairs"
_MOST_RUNS = 1000
_MOST_WORKERS = 4
_SAME_DEG = 5e-4  # a third of the spread of pair detunings


@dataclass(frozen=True)
class Collected:
    """What a run of `collect_pairs` and the runs it continues have collected.

    Attributes
    ----------
    runs
        Their uids, the oldest first.
    frames, seconds
        Frames that their events name, and the exposure of these, in seconds.
    paths
        Raw files of these frames, in order.
    left_over
        Complete raw files that no event names: the detector goes on when the process of the
        RunEngine dies. They are not counted.
    ended
        Exit status of the newest of the runs; empty when it was never closed.
    start
        Start document of the newest.
    """

    runs: tuple[str, ...]
    frames: int
    seconds: float
    paths: tuple[Path, ...]
    left_over: tuple[Path, ...]
    ended: str
    start: Mapping[str, Any]

    def __str__(self) -> str:
        n = len(self.runs)
        rows = [
            ("run", self.runs[-1][:8] + (f" and {n - 1} before it" if n > 1 else "")),
            ("ended", self.ended or "never; its process died"),
            ("collected", f"{self.seconds:.6g} s in {self.frames} frames"),
            ("not counted", f"{len(self.left_over)} whole files that no event names")
            if self.left_over
            else ("", ""),
        ]
        return report("The collection goes on where an earlier one ended.", rows)

    @property
    def recipe(self) -> Recipe:
        """The recipe of the newest of the runs."""
        return recipe_of_start(self.start) or Recipe()

    def count(self, recipe: Recipe) -> Earlier:
        """Find the pairs of all frames; takes as long as `twinbeam process`.

        Raises
        ------
        RawDataError, RecipeError
            If a raw file or the recipe cannot be read.
        """
        if not self.paths:
            return Earlier(self, None, None)
        workers = min(_MOST_WORKERS, os.cpu_count() or 1)
        result = process(self.paths, recipe, workers=workers)
        numbers = LiveNumbers.of_summary(self.runs[-1], summary(result))
        return Earlier(self, numbers, result.estimate)


@dataclass(frozen=True)
class Earlier:
    """The same with the pairs in it; `numbers` and `estimate` are None without any frame."""

    collected: Collected
    numbers: LiveNumbers | None
    estimate: Estimate | None

    def together(self, live: LiveNumbers | None) -> LiveNumbers | None:
        """These numbers and those of a run that goes on with the same recipe.

        The counts add up, and the squares of their errors. The detuning is the weighted mean.
        """
        old, estimate = self.numbers, self.estimate
        if old is None or estimate is None:
            return live
        if live is None:
            return replace(old, final=False)
        n = estimate.replicas
        sums = Estimate(old.prompt + live.prompt, round((old.accidental + live.accidental) * n), n)
        detuning_deg, detuning_err_deg = _mean(old, live)
        return replace(
            live,
            seconds=old.seconds + live.seconds,
            photons=old.photons + live.photons,
            prompt=sums.n_prompt,
            accidental=sums.accidental,
            accidental_err=math.hypot(old.accidental_err, live.accidental_err),
            net=sums.net,
            net_err=math.hypot(old.net_err, live.net_err),
            significance=sums.significance,
            s_over_b=sums.s_over_b,
            detuning_deg=detuning_deg,
            detuning_err_deg=detuning_err_deg,
        )


class EarlierRuns(Protocol):
    """Finds what was collected by the run with a uid, or the newest with -1."""

    def __call__(self, run: str | int) -> Collected:
        """What that run and those it continues have."""


def found_before(run: str | int | None, earlier: EarlierRuns | None) -> Collected | None:
    """What the run that is to be continued has; None when none is.

    Raises
    ------
    BeamlineError
        If it is not found, or cannot be looked up.
    """
    if run is None:
        return None
    if earlier is None:
        raise BeamlineError(
            f"continue_from={run!r} without a catalogue",
            where=_PLAN,
            hint="pass earlier=earlier_runs(catalog)",
        )
    return earlier(run)


def check_same_detuning(before: Collected | None, detuning_deg: float) -> None:
    """Make sure that pairs of both collections can be counted together.

    Raises
    ------
    BeamlineError
        If the one before was made at another detuning.
    """
    if before is None:
        return
    had_deg: Any = before.start.get("del_theta")
    if is_number(had_deg) and abs(float(had_deg) - detuning_deg) > _SAME_DEG:
        raise BeamlineError(
            f"run {before.runs[-1][:8]} was made at a detuning of {had_deg:g} deg, not"
            f" {detuning_deg:g}",
            where=_PLAN,
            hint=f"nothing has moved; give detuning_deg={had_deg:g}, or leave continue_from out",
        )


def enough_before(what: str) -> BeamlineError:
    """What is said when there is nothing left to do."""
    return BeamlineError(
        f"there is enough already: {what}",
        where=_PLAN,
        hint="nothing has moved; ask for more, or leave continue_from out",
    )


def continuing(before: Collected | None) -> dict[str, Any]:
    """Metadata that join a run with those it continues; none without any."""
    if before is None:
        return {}
    return {
        "continues": before.runs[-1],
        "continued_runs": list(before.runs),
        "continued_frames": before.frames,
        "continued_seconds": before.seconds,
    }


def earlier_runs(catalog: Catalog) -> EarlierRuns:
    """Find collections in the documents that a catalogue keeps as JSON lines.

    These are there up to the last event even if the process that wrote them was killed and the run
    is not in the catalogue itself.
    """

    def find(run: str | int) -> Collected:
        return _collected(catalog, run)

    return find


def _collected(catalog: Catalog, run: str | int) -> Collected:
    found: list[_Run] = []
    path: Path | None = _path_of(catalog.documents_directory, run)
    relocations = Relocations.of(catalog)
    while path is not None and len(found) < _MOST_RUNS:
        found.append(_Run(path, relocations))
        before = found[-1].start.get("continues")
        path = _path_of(catalog.documents_directory, str(before)) if before else None
    newest = found[0]
    found.reverse()
    return Collected(
        runs=tuple(str(each.start["uid"]) for each in found),
        frames=sum(each.frames for each in found),
        seconds=sum(each.seconds for each in found),
        paths=tuple(path for each in found for path in each.paths),
        left_over=tuple(path for each in found for path in each.left_over),
        ended=newest.ended,
        start=newest.start,
    )


def _path_of(folder: Path, run: str | int) -> Path:
    """File of a run by its uid or the beginning of it; -1 is the newest, -2 the one before.

    Raises
    ------
    BeamlineError
        If there is none, or more than one.
    """
    name = str(run).strip()
    if isinstance(run, int) and run >= 0:
        raise BeamlineError(
            f"continue_from={run} is no uid",
            where=_PLAN,
            hint="a scan id does not do; the beginning of a uid in quotes does, or -1 for the"
            " newest collection",
        )
    if name.startswith("-") and name[1:].isdigit():
        fitting = _newest_first(folder)[int(name[1:]) - 1 :][:1]
    else:
        fitting = [path for path in folder.glob("*.jsonl") if name and path.stem.startswith(name)]
    if len(fitting) == 1 and _start_of(fitting[0]).get("plan_name") == _PLAN:
        return fitting[0]
    if len(fitting) > 1:
        raise BeamlineError(f"{len(fitting)} runs begin with {name}", where=_PLAN)
    what = "is no run of collect_pairs" if fitting else "names no run that is kept here"
    raise BeamlineError(
        f"continue_from={run!r} {what}",
        where=_PLAN,
        hint=f"uids are the names of the files in {folder}; -1 is the newest collection",
    )


def _newest_first(folder: Path) -> list[Path]:
    """Files of the runs of `collect_pairs`, but for the steps of scans, and damaged ones."""
    begun = []
    for path in folder.glob("*.jsonl"):
        try:
            start = _start_of(path)
        except StorageError as error:  # as after a power failure
            say(f"  not looked at: {error}")
            continue
        if start.get("plan_name") == _PLAN and "scan_group" not in start:
            begun.append((float(start["time"]), path))
    return [path for _, path in sorted(begun, reverse=True)]


def _start_of(path: Path) -> dict[str, Any]:
    """The start document in a file of JSON lines; empty if it does not begin with one."""
    name, doc = next(iter(read_documents(path)), ("", {}))
    return doc if name == "start" else {}


class _Run:
    """What the documents of one run say."""

    def __init__(self, path: Path, relocations: Relocations | None) -> None:
        self.start: dict[str, Any] = {}
        self.ended = ""
        self.paths: list[Path] = []
        self._detectors: dict[str, tuple[str, ...]] = {}
        self._relocations = relocations
        finder = LeftOverFinder()
        for name, doc in read_documents(path):
            finder(name, doc)
            self._take(name, doc)
        self.left_over = [each.path for each in finder.found(relocations) if each.complete]
        self.frames = len(self.paths)
        frame_s = float(self.start.get("plan_args", {}).get("frame_s", 0.0))
        self.seconds = self.frames * frame_s

    def _take(self, name: str, doc: Mapping[str, Any]) -> None:
        if name == "start":
            self.start = dict(doc)
        elif name == "stop":
            self.ended = str(doc.get("exit_status", ""))
        elif name == "descriptor":
            self._detectors[str(doc["uid"])] = raw_detectors(doc)
        elif name == "event":
            self._note(str(doc["descriptor"]), doc["data"])
        elif name == "event_page":
            for row in range(len(doc["seq_num"])):
                data = {key: column[row] for key, column in doc["data"].items()}
                self._note(str(doc["descriptor"]), data)

    def _note(self, descriptor: str, data: Mapping[str, Any]) -> None:
        for detector in self._detectors.get(descriptor, ())[:1]:
            try:
                self.paths += raw_files(data, detector, self._relocations).paths
            except RawDataError as error:
                raise BeamlineError(
                    f"raw files of run {self.start['uid']} are not as it says: {error}", where=_PLAN
                ) from error


def _mean(old: LiveNumbers, live: LiveNumbers) -> tuple[float | None, float | None]:
    known = [
        (each.detuning_deg, each.detuning_err_deg**-2)
        for each in (old, live)
        if each.detuning_deg is not None and each.detuning_err_deg
    ]
    if not known:
        return live.detuning_deg, live.detuning_err_deg
    weight = sum(w for _, w in known)
    return sum(value * w for value, w in known) / weight, weight**-0.5
