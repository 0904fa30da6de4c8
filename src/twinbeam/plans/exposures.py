"""Exposures of the detector at each place of a scan, for calibrations."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky.protocols import Readable
from bluesky.utils import MsgGenerator

from twinbeam.devices import Shutter, TimePix3Detector
from twinbeam.devices.settings import LONGEST_FRAME_S
from twinbeam.errors import BeamlineError, StorageError
from twinbeam.pipeline import Recipe
from twinbeam.plans._guards import (
    and_always,
    check_number,
    check_travel,
    say_why,
    set_shutter,
    with_shutter_open,
    with_values,
)
from twinbeam.plans.flying import shoot
from twinbeam.plans.report import say
from twinbeam.plans.runs import in_run

__all__ = ["Exposure", "check_exposure", "check_save", "expose", "save_recipe", "say_saved"]

R = TypeVar("R", bound=Any)

_LONGEST_S = 86_400.0
_DARK_HZ = 200.0  # of hits on the sensor; with light there are thousands


@dataclass(frozen=True)
class Exposure:
    """One acquisition of a scan: where the motor was asked to be, and the raw files."""

    position: float
    paths: tuple[Path, ...]


def check_exposure(plan: str, seconds: float, frame_s: float) -> int:
    """Make sure that an exposure is possible; how many frames it has.

    Raises
    ------
    BeamlineError
        If it is not.
    """
    check_number(plan, "seconds", seconds, 0.0, _LONGEST_S)
    check_number(plan, "frame_s", frame_s, 0.0, LONGEST_FRAME_S, hint="Serval's longest exposure")
    return max(math.ceil(seconds / frame_s - 1e-9), 1)


def expose(
    plan: str,
    detector: TimePix3Detector,
    start: Mapping[str, Any],
    *,
    frames: int,
    frame_s: float,
    shutter: Shutter | None,
    dark: bool = False,
    motor: Any = None,
    positions: Sequence[float] = (0.0,),
    others: Sequence[Readable] = (),
) -> MsgGenerator[tuple[str, list[Exposure]]]:
    """Make one acquisition at each position, in a run of its own, an event each.

    However it ends, the detector is stopped and the shutter closed. The motor goes back to where
    it was. An exposure that should have seen light, and has not, is told.

    Parameters
    ----------
    plan
        Named in errors.
    detector
        The Timepix3.
    start
        Metadata of the run.
    frames, frame_s
        Of each acquisition.
    shutter
        Open during all of them, or closed if `dark`; None leaves it alone.
    motor, positions
        What to move and where to; None moves nothing.
    others
        What else is read.

    Returns
    -------
    tuple
        Uid of the run, and the exposures in order; no exposures without a RunEngine.
    """
    if motor is not None:
        check_travel(plan, motor, *positions)
    taken: list[Exposure] = []
    readables = [*others, *([motor] if motor is not None else [])]
    uids: list[str] = []

    def scan() -> MsgGenerator[None]:
        for position in positions:
            yield from bps.checkpoint()
            if motor is not None:
                yield from bps.mv(motor, position)
            paths = yield from shoot(detector, readables)
            if dark and shutter is not None:
                yield from _still_closed(plan, shutter)
            if paths:
                taken.append(Exposure(float(position), tuple(paths)))
                rate_hz = detector.raw_hits.get() / (frames * frame_s)
                if not dark and rate_hz < _DARK_HZ:
                    say(f"  only {rate_hz:.0f} hits/s came: is there beam, is its way free?")

    def back() -> MsgGenerator[None]:
        if motor is None:
            yield from scan()
            return
        origin = yield from bps.rd(motor, default_value=positions[0])

        def restore() -> MsgGenerator[None]:
            yield from bps.mv(motor, origin)

        yield from and_always(scan(), restore)

    def body(run: str) -> MsgGenerator[None]:
        uids.append(run)
        if dark and shutter is not None:
            yield from set_shutter(shutter, "closed")
        yield from say_why(with_shutter_open(back(), None if dark else shutter))

    values = {detector.num_frames: frames, detector.frame_time_s: frame_s}
    yield from with_values(bpp.stage_wrapper(in_run(body, start), [detector]), values)
    return uids[0], taken


def _still_closed(plan: str, shutter: Shutter) -> MsgGenerator[None]:
    state = yield from bps.rd(shutter, default_value="Closed")
    if str(state).lower() != "closed":
        raise BeamlineError(
            f"{shutter.name} is {state!r} after an exposure that was to be dark",
            where=plan,
            hint="somebody has opened it; close it, then measure again",
        )


def check_save(plan: str, save: str | None, *suffixes: str) -> None:
    """Make sure that a file can be written to a path, before hours are spent for it.

    Parameters
    ----------
    plan
        Named in errors.
    save
        The path; None for no file.
    suffixes
        What its name may end with; that of a recipe when left out.

    Raises
    ------
    BeamlineError
        If its folder does not exist, it has another name, or may not be written.
    """
    if save is None:
        return
    path, names = Path(save).absolute(), suffixes or (".yaml", ".yml")
    if path.suffix not in names or not path.parent.is_dir() or path.is_dir():
        raise BeamlineError(
            f"cannot be written: {save}",
            where=plan,
            hint=f"name a {names[0]} file in a known folder",
        )
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise BeamlineError(
            f"cannot be written: {save}", where=plan, hint="you have no permission to write there"
        )


def say_saved(result: R, key: str, save: Callable[[], str]) -> R:
    """Save what was found, put what `save` returns into the result, and say the result.

    The result is said as well when it cannot be saved.
    """
    try:
        saved = replace(result, **{key: save()})
    except StorageError:
        say(result)
        raise
    say(saved)
    return saved


def save_recipe(recipe: Recipe, save: str | None) -> str:
    """Write a recipe if a path is given; what to tell about it.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    if save is None:
        return f"{recipe.hash} (not written; give save=)"
    path = Path(save).absolute()
    try:
        path.write_text(recipe.to_yaml(folder=path.parent), encoding="utf-8")
    except OSError as error:
        raise StorageError(f"cannot be written: {error.strerror}", where=str(path)) from error
    return f"{recipe.hash} in {path}"
