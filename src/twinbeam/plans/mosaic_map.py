"""Mosaic spread over the crystal, and its best place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from typing import Any, cast

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
import numpy as np
from bluesky.protocols import NamedMovable, Readable
from bluesky.utils import MsgGenerator
from ophyd import EpicsMotor
from ophyd.utils import DisconnectedError

from twinbeam.devices import IntensityMonitor, Shutter
from twinbeam.errors import BeamlineError
from twinbeam.plans._annotations import typed_signature
from twinbeam.plans._guards import (
    check_angle,
    check_number,
    check_travel,
    check_whole,
    say_why,
    with_shutter_open,
    with_values,
)
from twinbeam.plans.moves import BACKLASH_DEG, approach, note_bragg
from twinbeam.plans.report import report, say, with_error
from twinbeam.plans.rocking import fit_scan
from twinbeam.plans.row import write_row
from twinbeam.plans.runs import in_run
from twinbeam.plans.spots import Pattern, Spot, around, spots
from twinbeam.plans.start_metadata import recipe_metadata, recipe_of, start_document
from twinbeam.plans.theta_scan import scan_theta

__all__ = ["MosaicResult", "MosaicSpot", "mosaic_map"]

_MOST_SPOTS = 10_000


@dataclass(frozen=True)
class MosaicSpot:
    """The rocking curve at one place.

    Attributes
    ----------
    x, y
        Place, in the units of the motors.
    fwhm_mdeg, fwhm_err_mdeg
        Width of the curve and its standard error, in millidegrees; NaN when it is not to be
        trusted.
    bragg_deg, bragg_err_deg
        Its centre, in degrees.
    height_hz
        Its height in counts per second.
    problem
        Why it is not to be trusted; empty when it is.
    """

    x: float
    y: float
    fwhm_mdeg: float
    fwhm_err_mdeg: float
    bragg_deg: float
    bragg_err_deg: float
    height_hz: float
    problem: str = ""

    def __str__(self) -> str:
        place = f"x {self.x:+.4f}, y {self.y:+.4f}: "
        if self.problem:
            return f"{place}useless, {self.problem}"
        width = with_error(self.fwhm_mdeg, self.fwhm_err_mdeg, "mdeg")
        return f"{place}{width} wide at {self.bragg_deg:.5f} deg"


@dataclass(frozen=True)
class MosaicResult:
    """All places, and the narrowest.

    Attributes
    ----------
    spots
        In the order in which they were measured.
    best
        The narrowest that can be trusted.
    moved
        Whether the motors and theta stand there.
    unit
        Unit of the places; empty when the motors do not tell it.
    """

    spots: tuple[MosaicSpot, ...]
    best: MosaicSpot | None
    moved: bool
    unit: str = ""

    def __str__(self) -> str:
        if self.best is None:
            return "Map of the crystal: no spots."
        good = [spot.fwhm_mdeg for spot in self.spots if not spot.problem]
        best = self.best
        return report(
            "Map of the crystal; "
            + (
                "the beam is on its best place."
                if self.moved
                else "everything stands where it was before."
            ),
            [
                ("places", f"{len(self.spots)}, {len(self.spots) - len(good)} of them useless"),
                ("narrowest", with_error(best.fwhm_mdeg, best.fwhm_err_mdeg, "mdeg")),
                ("at", f"x = {best.x:.4g}, y = {best.y:.4g} {self.unit}".rstrip()),
                ("Bragg angle there", with_error(best.bragg_deg, best.bragg_err_deg, "deg")),
                ("widest", f"{max(good):.2f} mdeg"),
            ],
        )


@typed_signature
def mosaic_map(
    monitor: IntensityMonitor,
    theta: EpicsMotor,
    x: NamedMovable,
    y: NamedMovable,
    *,
    bragg_deg: float,
    x_half: float = 1.0,
    y_half: float = 1.0,
    pitch: float = 0.5,
    x_centre: float = 0.0,
    y_centre: float = 0.0,
    pattern: Pattern = "spiral",
    refinements: int = 2,
    half_width_deg: float = 0.006,
    num: int = 15,
    count_s: float = 0.05,
    go: bool = True,
    shutter: Shutter | None = None,
    recipe_md: Mapping[str, Any] | None = None,
    md: Mapping[str, Any] | None = None,
) -> MsgGenerator[MosaicResult]:
    """Measure the rocking curve place by place and go to the narrowest.

    After the map the surroundings of the narrowest place are measured with half the pitch, and so
    on. Each curve is looked for where its nearest neighbour had its centre. A place whose curve
    cannot be trusted is noted and passed over. The stream `primary` holds the points and `spots`
    a row for each place.

    Parameters
    ----------
    monitor
        Detector of the diffracted beam.
    theta
        Rotation of the crystal.
    x, y
        Any two motors that move the crystal through the beam; theirs are the units of the next.
    bragg_deg
        Bragg angle at the centre, in degrees.
    x_half, y_half, x_centre, y_centre
        Half the sides of the map, and its middle.
    pitch
        Distance of neighbouring places, at most.
    pattern
        ``grid`` or ``spiral``.
    refinements
        How often the pitch is halved around the narrowest place.
    half_width_deg, num
        Half the range of a rocking curve in degrees, and its points.
    count_s
        Time a point, in seconds.
    go
        Whether x, y and theta go to the best place in the end; otherwise back to where they were.
    shutter
        Opened for the map and closed after it; None leaves shutters alone.
    recipe_md
        Plain values of the recipe that the run tells; the default recipe when left out.
    md
        More metadata of the run.

    Returns
    -------
    MosaicResult
        All places and the best.

    Raises
    ------
    BeamlineError, RecipeError
        If an argument is out of bounds (before anything moves), or no place shows a curve.
    """
    here = "mosaic_map"
    check_angle(here, "bragg_deg", bragg_deg, 90.0)
    for name, value in (("x_half", x_half), ("y_half", y_half), ("pitch", pitch)):
        check_number(here, name, value, 0.0 if name == "pitch" else -1e-9, 1e6)
    check_whole(here, "refinements", refinements, 0, 10)
    check_whole(here, "num", num, 9, 10_000)
    check_number(here, "half_width_deg", half_width_deg, 0.0, 1.0, hint="in degrees")
    check_number(here, "count_s", count_s, 0.0, 600.0, hint="in seconds")
    if pattern not in ("grid", "spiral"):
        raise BeamlineError(f"no pattern {pattern!r}", where=here, hint='"grid" or "spiral"')
    if (2.0 * x_half / pitch + 1.0) * (2.0 * y_half / pitch + 1.0) > _MOST_SPOTS:
        raise BeamlineError("more than 10000 places", where=here, hint="a larger pitch")
    low = (x_centre - x_half, y_centre - y_half)
    high = (x_centre + x_half, y_centre + y_half)
    check_travel(here, x, low[0], high[0])
    check_travel(here, y, low[1], high[1])
    margin_deg = 2.0 * half_width_deg + BACKLASH_DEG
    check_travel(here, theta, bragg_deg - margin_deg, bragg_deg + margin_deg)
    places = spots(pattern, (x_centre, y_centre), x_half, y_half, pitch)
    recipe = recipe_of(recipe_md, here, bragg_deg=bragg_deg)
    arguments = {
        "bragg_deg": bragg_deg,
        "centre": [x_centre, y_centre],
        "half": [x_half, y_half],
        "pitch": pitch,
        "pattern": pattern,
        "refinements": refinements,
        "half_width_deg": half_width_deg,
        "num": num,
        "count_s": count_s,
    }
    start = start_document(
        here,
        arguments,
        detectors=[monitor],
        motors=[x, y, theta],
        dimensions=[theta.name],
        md={**recipe_metadata(recipe), "theta": bragg_deg, **(md or {})},
    )
    found: list[MosaicSpot] = []
    others = [cast(Readable, motor) for motor in (x, y)]
    moved: list[bool] = []

    def measure(todo: list[Spot]) -> MsgGenerator[None]:
        for place in todo:
            yield from bps.checkpoint()
            yield from bps.mv(x, place[0], y, place[1])
            middle_deg = _nearest(found, place, bragg_deg)
            angles = middle_deg + np.linspace(-half_width_deg, half_width_deg, num)
            scan = yield from scan_theta(monitor, theta, angles, others=others)
            if not len(scan):
                continue
            found.append(_spot(scan, place, count_s))
            say(f"  {found[-1]}")
            yield from write_row("spots", dict(found[-1].__dict__))

    def search() -> MsgGenerator[None]:
        home_x = yield from bps.rd(x, default_value=x_centre)
        home_y = yield from bps.rd(y, default_value=y_centre)
        home_deg = yield from bps.rd(theta, default_value=bragg_deg)
        arrived = False
        try:
            yield from measure(places)
            pitch_x, pitch_y = _pitch(x_half, pitch), _pitch(y_half, pitch)
            for _ in range(refinements):
                best = _best(found)
                if best is None:
                    break
                pitch_x, pitch_y = pitch_x / 2.0, pitch_y / 2.0
                known = [(spot.x, spot.y) for spot in found]
                yield from measure(around((best.x, best.y), pitch_x, pitch_y, known, low, high))
            best = _best(found)
            if found and best is None:
                raise BeamlineError(
                    f"none of {len(found)} places shows a curve: {found[0].problem}",
                    where=here,
                    hint="is the shutter open? Otherwise find_bragg gives the right bragg_deg",
                )
            arrived = go and best is not None
            if best is not None and go:
                yield from bps.mv(x, best.x, y, best.y)
                yield from approach(theta, best.bragg_deg)
                yield from note_bragg(theta, best.bragg_deg)
        except BeamlineError:
            yield from bps.mv(x, home_x, y, home_y, theta, home_deg)
            raise
        if not arrived:
            yield from bps.mv(x, home_x, y, home_y, theta, home_deg)
        moved.append(arrived)

    def body(_: str) -> MsgGenerator[None]:
        return say_why(with_shutter_open(search(), shutter))

    run = bpp.stage_wrapper(in_run(body, start), [monitor])
    yield from with_values(run, {monitor.count_time: count_s})
    result = MosaicResult(tuple(found), _best(found), moved[0], _unit(x) if found else "")
    if found:
        say(result)
    return result


def _unit(motor: Any) -> str:
    """What a motor says its unit is; a map is not lost because one does not answer."""
    try:
        return str(getattr(motor, "egu", "") or "")
    except (DisconnectedError, TimeoutError):
        return ""


def _pitch(half: float, pitch: float) -> float:
    """The pitch that the map has, which fits the side a whole number of times."""
    number = math.ceil(2.0 * half / pitch - 1e-9)
    return 2.0 * half / number if number else pitch


def _nearest(found: list[MosaicSpot], place: Spot, bragg_deg: float) -> float:
    """Bragg angle at the nearest place that can be trusted."""
    good = [spot for spot in found if not spot.problem]
    if not good:
        return bragg_deg
    return min(good, key=lambda s: math.hypot(s.x - place[0], s.y - place[1])).bragg_deg


def _best(found: list[MosaicSpot]) -> MosaicSpot | None:
    good = [spot for spot in found if not spot.problem]
    return min(good, key=lambda spot: spot.fwhm_mdeg) if good else None


def _spot(scan: Any, place: Spot, count_s: float) -> MosaicSpot:
    try:
        fit = fit_scan(scan, count_s, where="mosaic_map")
    except BeamlineError as error:
        return MosaicSpot(*place, nan, nan, nan, nan, nan, error.what)
    best = fit.best
    return MosaicSpot(
        *place,
        fwhm_mdeg=best.fwhm_mdeg,
        fwhm_err_mdeg=best.fwhm_err_mdeg,
        bragg_deg=best.centre_deg,
        bragg_err_deg=best.centre_err_deg,
        height_hz=best.amplitude_hz,
        problem="; ".join(fit.doubts),
    )
