"""Faults of the detector by name; a light module, which the command line can afford."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from sim_iocs.records import Kind, Record

__all__ = ["DETECTOR_FAULTS", "FAULT_RECORDS", "DetectorFault", "fault_argument", "faults_help"]


@dataclass(frozen=True)
class DetectorFault:
    """One fault: a record `SIM:<name>` and a choice of `--fault`.

    Attributes
    ----------
    name
        End of the record's name.
    kind
        Type of the record; `bo` is a switch, which needs no value on the command line.
    doc
        What it does, and what values it takes.
    labels
        States of an enum.
    units
        Unit of a number.
    off
        Value that switches it off.
    """

    name: str
    kind: Kind
    doc: str
    labels: tuple[str, ...] = ("Off", "On")
    units: str = ""
    off: int | float | str = 0


DETECTOR_FAULTS = (
    DetectorFault("ServalDown", "bo", "Serval answers no request; back again it has forgotten all"),
    DetectorFault("Slow", "ao", "Every answer of Serval comes so late", units="s", off=0.0),
    DetectorFault("DetectorLost", "bo", "Serval answers, but has lost the detector"),
    DetectorFault(
        "Refuse",
        "text",
        "A request is refused: 'PUT /server/destination 400 some text'; * is every request",
        off="",
    ),
    DetectorFault("StartRefused", "bo", "Serval refuses to start a measurement"),
    DetectorFault("StopFails", "bo", "Serval does not stop the measurement"),
    DetectorFault(
        "LostAfter", "ao", "Serval dies when a run is so old; 0 is off", units="s", off=0.0
    ),
    DetectorFault("PortInUse", "longout", "Serval cannot listen on this port; -1 is every port"),
    DetectorFault("DiskLimit", "bo", "The least free space is reached"),
    DetectorFault("DropEvery", "longout", "Every n-th frame is dropped; 0 is off"),
    DetectorFault(
        "WrongReadback", "text", "Serval says wrong values: '{\"ExposureTime\": 9.0}'", off=""
    ),
    DetectorFault(
        "Files", "mbbo", "Raw files: ok, missing, late, truncated",
        ("ok", "missing", "late", "truncated"),
    ),
    DetectorFault("FileLate", "ao", "How late files are that are late", units="s", off=5.0),
    DetectorFault("ClockReset", "bo", "The clock goes to zero in a run; then off again"),
    DetectorFault("NoHeartbeats", "bo", "No global time and no heartbeats in the data"),
)  # fmt: skip
"""All faults, in the order of the help."""

_BY_NAME = {fault.name.lower(): fault for fault in DETECTOR_FAULTS}

FAULT_RECORDS = (
    *(
        Record(
            fault.name,
            fault.kind,
            fault.off,
            fault.doc,
            fault.labels if fault.kind in ("bo", "mbbo") else (),
            units=fault.units,
            precision=3,
            length=512 if fault.kind == "text" else 1,
        )
        for fault in DETECTOR_FAULTS
    ),
    Record("Message", "text", "", "Why the latest value was not taken", read_only=True),
    Record("Lag", "ai", 0.0, "Simulated time behind real time", units="s", precision=3),
    Record("HitsMade", "int64in", 0, "Hits of this run that the sensor made"),
    Record("HitsOut", "int64in", 0, "Hits of it in files and streams"),
    Record("HitsLost", "int64in", 0, "Hits in dropped frames and masked pixels"),
    Record("Clear", "bo", 0, "Switch all faults off, then 0", ("No", "Clear")),
    Record("Trigger", "bo", 0, "The trigger input: 1 is a rising edge", ("Low", "High")),
    Record("SoftTrigger", "bo", 0, "What another client of Serval sends", ("Stop", "Start")),
)
"""Rows of the records below `SIM:`, faults first."""


def fault_argument(text: str) -> tuple[str, str]:
    """Name and value of an argument `NAME[=VALUE]`.

    Raises
    ------
    argparse.ArgumentTypeError
        If there is no such fault, or the value is no number or state of it.
    """
    name, given, value = text.partition("=")
    fault = _BY_NAME.get(name.replace("-", "").replace("_", "").lower())
    if fault is None:
        names = ", ".join(fault.name for fault in DETECTOR_FAULTS)
        raise argparse.ArgumentTypeError(f"there is no fault '{name}'; there are {names}")
    if not given and fault.kind == "bo":
        value = "1"
    problem = _problem(fault, value)
    if problem:
        raise argparse.ArgumentTypeError(f"{fault.name}: {problem}")
    return fault.name, value


def _problem(fault: DetectorFault, value: str) -> str | None:
    if fault.kind == "text":
        return None if value else "a text is needed, such as in the help"
    if fault.kind == "mbbo":
        return None if value in fault.labels else f"'{value}' is none of {', '.join(fault.labels)}"
    try:
        float(value) if fault.kind == "ao" else int(value)
    except ValueError:
        return f"'{value}' is not a number"
    return None


def faults_help() -> str:
    """The list of faults for the end of a help text."""
    lines = ["Faults for --fault NAME[=VALUE]; the same by records <prefix>SIM:NAME while it runs:"]
    lines += [f"  {fault.name:<14} {fault.doc}" for fault in DETECTOR_FAULTS]
    return "\n".join(lines)
