"""Checks of this computer: packages, processors, memory, clock, compiled kernels."""

from __future__ import annotations

import ctypes
import os
import platform
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from twinbeam.cli.doctor_finding import FAULT, OK, WARNING, Finding

__all__ = ["clock", "kernels", "packages", "processors"]

_UNSYNCHRONISED = 0x0040  # STA_UNSYNC of adjtimex
_FAST_STEPS = 0x2000  # STA_NANO: offsets are in ns instead of µs
_MOST_CLOCK_S = 0.5
_LEAST_MEMORY = 2e9


def packages() -> Iterator[Finding]:
    """Versions of Python and of every package twinbeam needs, against its own minimum."""
    from packaging.requirements import Requirement

    yield Finding("python", OK, platform.python_version())
    wrong, n = [], 0
    for text in metadata.requires("twinbeam") or []:
        needed = Requirement(text)
        if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
            continue
        n += 1
        try:
            installed = metadata.version(needed.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{needed.name} is missing")
            continue
        if not needed.specifier.contains(installed, prereleases=True):
            wrong.append(f"{needed.name} {installed}, needed is {needed.specifier}")
    if wrong:
        advice = "pip install --upgrade twinbeam, in this environment"
        yield Finding("packages", FAULT, "; ".join(wrong), advice)
    else:
        yield Finding("packages", OK, f"all {n} are there and new enough")


def processors() -> Iterator[Finding]:
    """How many processors there are to work with, how busy they are, and memory."""
    usable, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    text = f"{usable} usable, load {load:.1f}"
    if usable < 2:
        yield Finding("processors", WARNING, text, "live analysis beside a run wants 2 or more")
    elif load > usable:
        yield Finding("processors", WARNING, text, "others keep them busy; the analysis may lag")
    else:
        yield Finding("processors", OK, text)
    free = _available_memory()
    if free is not None:
        enough = free >= _LEAST_MEMORY
        advice = "" if enough else "end other programs; the live analysis takes about 1 GB"
        yield Finding(
            "memory", OK if enough else WARNING, f"{1e-9 * free:.1f} GB available", advice
        )


def _available_memory() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    found = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    return found[0] if found else None


class _Timex(ctypes.Structure):
    """`struct timex`, as far as it is read; the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def clock() -> Iterator[Finding]:
    """Whether the clock is kept right by the network, and runs evenly."""
    before = time.time() - time.monotonic()
    time.sleep(0.2)
    step = abs(time.time() - time.monotonic() - before)
    if step > 0.01:
        yield Finding(
            "clock", WARNING, f"stepped by {step:.3f} s in 0.2 s", "look after chrony or ntpd"
        )
        return
    timex = _Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        state = -1
    if state < 0:
        yield Finding("clock", OK, "runs evenly; the system does not tell whether it is right")
        return
    offset_s = timex.offset * (1e-9 if timex.status & _FAST_STEPS else 1e-6)
    if timex.status & _UNSYNCHRONISED:
        yield Finding(
            "clock",
            WARNING,
            "runs evenly, but nothing keeps it right",
            "start chrony or ntpd, or times of runs and of the IOC may not agree",
        )
    elif abs(offset_s) > _MOST_CLOCK_S:
        yield Finding("clock", WARNING, f"off by {offset_s:+.3f} s", "look after chrony or ntpd")
    else:
        yield Finding("clock", OK, f"kept by the network, off by {1e3 * offset_s:+.3f} ms")


def kernels() -> Iterator[Finding]:
    """Whether compiled kernels can be kept, so that not every start compiles them."""
    import twinbeam

    package = Path(twinbeam.__file__).parent
    given = os.environ.get("NUMBA_CACHE_DIR")
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    places = [Path(given)] if given else [package, Path(home) / "numba"]
    for place in places:
        there = place
        while not there.exists() and there != there.parent:
            there = there.parent
        if os.access(there, os.W_OK | os.X_OK):
            yield Finding("compiled kernels", OK, f"are kept in {place}")
            return
    yield Finding(
        "compiled kernels",
        WARNING,
        f"cannot be kept: {places[-1]} cannot be written",
        "set NUMBA_CACHE_DIR to a folder of yours; else every start takes half a minute longer",
    )
