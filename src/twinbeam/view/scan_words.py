"""What a page says of a run without photons."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from twinbeam.view.health_rows import beamline_rows, disk_rows
from twinbeam.view.readable import date, finite, metric
from twinbeam.view.scan_chart import scan_axes, scan_peak, scan_points
from twinbeam.view.shown import Shown
from twinbeam.view.shown_scan import ShownScan

__all__ = ["sample_of", "scan_caption", "scan_labels", "scan_title", "scan_words"]

_STATES = {"running": "measuring"}
_TITLES = {
    "find_bragg": "Search for the Bragg angle",
    "rocking_curve": "Rocking curve",
    "detuning_scan": "Detuning scan",
}


def sample_of(start: Mapping[str, Any]) -> str:
    """The sample as the start document names it; a dash when it does not."""
    for key in ("sample", "sample_name"):
        named = start.get(key)
        if isinstance(named, Mapping):
            named = named.get("name")
        if isinstance(named, str) and named:
            return named
    return "–"


def scan_labels(shown: Shown | ShownScan) -> list[str]:
    """What is written at the axes of the scan."""
    axes = scan_axes(shown)
    return ["", ""] if axes is None else [axes.x_label, axes.y_label]


def scan_title(shown: Shown | ShownScan) -> str:
    """What the curve is called."""
    if isinstance(shown, Shown) and shown.steps:
        return "Detuning scan"
    story = shown.story
    if story is None or story.axes is None:
        return "Run"
    return _TITLES.get(str(story.start.get("plan_name")), "Scan")


def scan_caption(shown: Shown | ShownScan) -> list[str]:
    """Where the peak is, and how wide; where it was highest as long as that cannot be told."""
    axes, peak = scan_axes(shown), scan_peak(shown)
    if axes is None:
        return ["", ""]
    unit = axes.x_label.rpartition("[")[2].removesuffix("]") if "[" in axes.x_label else ""
    if peak is not None:
        width = f"{1e3 * peak.fwhm:.2f} mdeg" if unit == "deg" else f"{peak.fwhm:.3g} {unit}"
        return [
            f"{peak.centre:.5g} {unit}" if unit != "deg" else f"{peak.centre:.4f}°",
            f"FWHM {width}",
        ]
    known = [point for point in scan_points(shown) if math.isfinite(point[1])]
    if not known:
        return ["", ""]
    best = max(known, key=lambda point: point[1])
    at = f"{best[0]:.4f}°" if unit == "deg" else f"{best[0]:.4g} {unit}"
    return [at, f"highest of {len(known):,} points" if len(known) > 1 else "the only point"]


def scan_words(shown: ShownScan) -> dict[str, Any]:
    """Header, numbers and health of a run by its documents."""
    story = shown.story
    began_s, end_s = story.began_s, (story.stop or {}).get("time")
    running = shown.state == "running"
    if not isinstance(end_s, int | float):
        end_s = time.time() if running else story.newest_s
    seconds = max(0.0, float(end_s) - began_s) if math.isfinite(began_s) else 0.0
    asked = story.start.get("num_points")
    n_asked = int(asked) if isinstance(asked, int) and story.axes is not None else None
    n = story.n_points
    per_point_s = seconds / n if n else math.nan
    left_s = per_point_s * (n_asked - n) if running and n_asked and n else None
    points = f"{n:,} of {n_asked:,} points" if n_asked else f"{n:,} points"
    stop = story.stop or {}
    return {
        "name": shown.name,
        "state": _STATES.get(shown.state, shown.state),
        "is_stored": not shown.live,
        "began": date(story.start.get("time")),
        "sample": sample_of(story.start),
        "seconds": seconds,
        "wanted_s": None,
        "left_s": left_s,
        "share": n / n_asked if n_asked else None,
        "recipe": str(story.start.get("recipe_hash") or ""),
        "version": 0,
        "bytes": 0,
        "published_s": None,
        "headline": _headline(shown, points),
        "captions": {"scan": scan_caption(shown)},
        "scan": scan_title(shown),
        "labels": scan_labels(shown),
        "ledger": [],
        "health": [
            ["documents", "arrive" if running else "complete" if stop else "no stop", "ok"],
            *disk_rows(shown.disks),
        ],
        "found": [],
        "beamline": beamline_rows(shown),
        "chips": [],
        "problems": [str(stop["reason"])] if stop.get("reason") else [],
        "waiting": _waiting(shown),
    }


def _waiting(shown: ShownScan) -> str:
    """Why there is no curve to see."""
    if shown.story.points:
        return ""
    if shown.story.has_raw_data:
        if shown.state == "running":
            return "waiting for the first photons"
        return (
            "over; its result is being made, or in the list of runs"
            if shown.live
            else "no stored result"
        )
    if shown.story.axes is not None:
        return "waiting for the first point" if shown.state == "running" else "no points"
    if shown.state == "running":
        return "waiting for the first reading"
    return "this run counts no photons and scans nothing"


def _headline(shown: ShownScan, points: str) -> list[list[str]]:
    axes, known = scan_axes(shown), scan_points(shown)
    if axes is None or not known:
        return []
    n, _, rest = points.partition(" ")
    x, y, _ = known[-1]
    rows = [["points", n, rest.removesuffix("points").strip()]]
    rows.append(["now at", f"{x:.4f}".rstrip("0").rstrip("."), _unit(axes.x_label)])
    rows.append(
        [_name(axes.y_label), metric(y, ""), _unit(axes.y_label).replace("counts/s", "per s")]
    )
    peak = scan_peak(shown)
    if peak is not None:
        rows.append(["peak", finite(peak.centre, 4), _unit(axes.x_label)])
    return rows


def _unit(label: str) -> str:
    return label.rpartition("[")[2].removesuffix("]") if "[" in label else ""


def _name(label: str) -> str:
    return label.partition("[")[0].strip()
