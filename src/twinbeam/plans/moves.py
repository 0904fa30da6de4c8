"""Moves of the crystal that do not depend on where it came from."""

from __future__ import annotations

import bluesky.plan_stubs as bps
from bluesky.utils import MsgGenerator
from ophyd import EpicsMotor

from twinbeam.devices import Axis, Goniometer
from twinbeam.errors import BeamlineError
from twinbeam.plans._annotations import typed_signature
from twinbeam.plans._guards import check_angle, check_number, check_travel, say_why

__all__ = ["BACKLASH_DEG", "approach", "note_bragg", "set_detuning"]

#: How far below the target the last move begins, in degrees.
BACKLASH_DEG = 0.005
_LARGEST_DETUNING_DEG = 1.0
_MISSED_DEG = 5e-4


@typed_signature
def approach(
    theta: EpicsMotor, angle_deg: float, *, backlash_deg: float = BACKLASH_DEG
) -> MsgGenerator[None]:
    """Move to an angle from below, so that backlash is always taken up the same way.

    Parameters
    ----------
    theta
        Rotation of the crystal, in degrees.
    angle_deg
        Where to go, in degrees.
    backlash_deg
        Length of the last, upward move, in degrees.

    Raises
    ------
    BeamlineError
        Before any move, if one of the two moves would leave the motor's limits; after it, if the
        motor does not stand within half a millidegree of where it was sent.
    """
    check_number("approach", "backlash_deg", backlash_deg, 0.0, 1.0)
    check_travel("approach", theta, angle_deg - backlash_deg, angle_deg)
    yield from bps.checkpoint()
    if not (isinstance(theta, Axis) and theta.approach >= backlash_deg):  # comes from below itself
        yield from say_why(bps.mv(theta, angle_deg - backlash_deg))
    yield from say_why(bps.mv(theta, angle_deg))
    stands_deg = float((yield from bps.rd(theta, default_value=angle_deg)))
    if not abs(stands_deg - angle_deg) < _MISSED_DEG:
        raise BeamlineError(
            f"stands at {stands_deg:.5f} deg after it was sent to {angle_deg:.5f}",
            where=theta.name,
            hint="was it stopped by somebody, or is it at a limit switch?",
        )


def note_bragg(theta: EpicsMotor, bragg_deg: float) -> MsgGenerator[None]:
    """Tell the goniometer that carries theta the Bragg angle, from which its `detuning` counts."""
    goniometer = getattr(theta, "parent", None)
    if isinstance(goniometer, Goniometer):
        yield from bps.mv(goniometer.bragg, bragg_deg)


@typed_signature
def set_detuning(
    theta: EpicsMotor,
    bragg_deg: float,
    detuning_deg: float = 0.040,
    *,
    backlash_deg: float = BACKLASH_DEG,
) -> MsgGenerator[float]:
    """Detune the crystal from its Bragg angle, coming from below.

    Parameters
    ----------
    theta
        Rotation of the crystal, in degrees.
    bragg_deg
        Measured Bragg angle, in degrees; see `find_bragg` and `rocking_curve`.
    detuning_deg
        Wanted detuning, in degrees; it sets the radius of the ring.
    backlash_deg
        Length of the last, upward move, in degrees.

    Returns
    -------
    float
        The angle where theta stands now, in degrees.

    Raises
    ------
    BeamlineError
        Before any move, if an argument is out of bounds or the motor's limits are in the way.
    """
    check_angle("set_detuning", "bragg_deg", bragg_deg, 90.0)
    check_angle("set_detuning", "detuning_deg", detuning_deg, _LARGEST_DETUNING_DEG)
    target_deg = bragg_deg + detuning_deg
    check_travel("set_detuning", theta, target_deg - backlash_deg, target_deg)
    yield from approach(theta, target_deg, backlash_deg=backlash_deg)
    angle_deg: float = yield from bps.rd(theta, default_value=target_deg)
    return float(angle_deg)
