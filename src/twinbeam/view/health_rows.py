"""What can be unwell, and the state of the beamline, as rows of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from twinbeam.view.readable import finite, metric
from twinbeam.view.shown import Shown
from twinbeam.view.shown_scan import ShownScan
from twinbeam.view.stories import Disk
from twinbeam.view.story import Reading

__all__ = ["beamline_rows", "disk_rows", "health_rows"]

_LOW_BYTES, _VERY_LOW_BYTES = 50e9, 5e9
_LOW_SHARE, _VERY_LOW_SHARE = 0.1, 0.02
# Beginnings of the words of keys, what they are called, and digits behind the point.
_CONDITIONS = (
    ("ring_current", "ring current", 1),
    ("shutter_status", "shutter", 0),
    ("gonio_theta", "θ", 4),
    ("gonio_detuning", "Δθ set", 4),
    ("attenuators_transmission", "transmission", 3),
    ("monitor_intensity", "monitor", 0),
)
_SET = ("_setpoint", "_user_setpoint")


def health_rows(shown: Shown) -> list[list[str]]:
    """Name, value and mood (ok, warn, bad) of what can be unwell with a result."""
    rows: list[list[str]] = []
    closes = shown.result.ledger.closes
    rows.append(["ledger", "closes" if closes else "does not close", "ok" if closes else "bad"])
    dropped = sum(stage.dropped for stage in shown.result.ledger.stages.values())
    rows.append(["dropped", finite(dropped), "ok" if not dropped else "warn"])
    health = shown.health
    if health is not None and (health.source == "stream" or health.stream_bytes):
        lost, gaps = health.stream_dropped_bytes, health.stream_gaps
        text = f"{metric(lost, 'B')}, {gaps:,} gap{'s' if gaps != 1 else ''}"
        rows.append(["stream drops", text, "warn" if lost or gaps else "ok"])
    elif health is not None:
        rows.append(["stream drops", "no stream", "ok"])
    if shown.lag_s is not None and shown.state == "running":
        mood = "ok" if shown.lag_s < 1.0 else "warn" if shown.lag_s < 10.0 else "bad"
        rows.append(["lag", f"{finite(shown.lag_s, 2)} s", mood])
        behind = shown.behind_bytes
        rows.append(["behind", metric(behind, "B"), "ok" if behind < 1e7 else "warn"])
    if shown.files is not None:
        named, read, failed = shown.files
        rows.append(["files read", f"{read:,} of {named:,}", "bad" if failed else "ok"])
    damage = shown.result.census.describe_damage()
    rows.append(["raw data", damage or "sound", "warn" if damage else "ok"])
    return rows + disk_rows(shown.disks)


def disk_rows(disks: Sequence[Disk]) -> list[list[str]]:
    """Room on the disks; one row when it is the same disk."""
    if len(disks) > 1 and len({disk.total_bytes for disk in disks}) == 1:
        disks = [min(disks, key=lambda disk: disk.free_bytes)]
        return [_disk_row("disk free", disks[0])]
    return [_disk_row(f"disk, {disk.what}", disk) for disk in disks]


def _disk_row(name: str, disk: Disk) -> list[str]:
    share = disk.free_bytes / max(disk.total_bytes, 1)
    mood = "ok"
    if disk.free_bytes < _LOW_BYTES and share < _LOW_SHARE:
        mood = "warn"
    if disk.free_bytes < _VERY_LOW_BYTES or share < _VERY_LOW_SHARE:
        mood = "bad"
    return [name, f"{metric(disk.free_bytes, 'B')} of {metric(disk.total_bytes, 'B')}", mood]


def beamline_rows(shown: Shown | ShownScan) -> list[list[str]]:
    """Name and value of what the run's documents say of ring, shutter, angles and temperatures."""
    story = shown.story
    if story is None:
        return []
    rows = []
    for beginning, name, digits in _CONDITIONS:
        key = beginning if beginning in story.readings else ""
        if key and not key.endswith(_SET):
            rows.append([name, _said(story.readings[key], digits)])
    return rows + _temperatures(story.readings)


def _said(reading: Reading, digits: int) -> str:
    if isinstance(reading.value, str):
        return reading.value
    unit = {"deg": "°", "cps": " /s"}.get(reading.unit, f" {reading.unit}")
    return f"{finite(float(reading.value), digits)}{unit}".rstrip()


def _temperatures(readings: Mapping[str, Reading]) -> list[list[str]]:
    found = {
        key: float(reading.value)
        for key, reading in readings.items()
        if "temperature" in key and not isinstance(reading.value, str)
    }
    chips = [value for key, value in found.items() if "chip" in key]
    others = [value for key, value in found.items() if "chip" not in key]
    rows = []
    for name, values in (("chips", chips), ("board" if chips else "temperature", others)):
        if values:
            low, high = f"{min(values):.0f}", f"{max(values):.0f}"
            rows.append([name, f"{low if low == high else f'{low}–{high}'} °C"])
    return rows or [["temperatures", "not recorded"]]
