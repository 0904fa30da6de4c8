"""Goniometer, detuning, energy, optics: moves, refusals, and motors that fail."""

from __future__ import annotations

from collections.abc import Iterator
from queue import Queue
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import pytest
from bluesky import RunEngine
from bluesky.magics import get_labeled_devices
from bluesky.utils import FailedStatus
from ophyd import EpicsSignal, EpicsSignalRO
from ophyd.utils import LimitError

from twinbeam.devices import Beamline, Goniometer, connect
from twinbeam.errors import BeamlineError
from twinbeam.physics import bragg_angle_deg

WAIT_S = 60
START_DEG = 11.526
BRAGG_DEG = 11.576


@pytest.fixture
def gonio(instruments: Beamline) -> Iterator[Goniometer]:
    """The goniometer at its start; it knows no Bragg angle, before and afterwards."""
    gonio = instruments.goniometer
    yield gonio
    gonio.theta.set(START_DEG).wait(WAIT_S)
    gonio.bragg.put(float(bragg_angle_deg(15.0)))
    gonio.bragg_found.put(0)


@pytest.fixture
def fault(beamline: Any) -> Iterator[Any]:
    """Function that sets a fault of the simulated beamline; all are gone afterwards."""
    made: dict[str, tuple[EpicsSignal, Any]] = {}

    def put(name: str, value: Any, good: Any = 0) -> None:
        if name not in made:
            signal = EpicsSignal(f"{beamline.prefixes.beamline}SIM:{name}", name="fault")
            connect(signal, timeout_s=WAIT_S)
            made[name] = signal, good
        made[name][0].put(value, wait=True)

    yield put
    for signal, good in made.values():
        signal.put(good, wait=True)
        signal.destroy()


@pytest.fixture
def detuning_now(beamline: Any) -> Iterator[Any]:
    """Function that tells the true detuning in degrees."""
    signal = EpicsSignalRO(
        f"{beamline.prefixes.beamline}World:Detuning_RBV", name="truth", auto_monitor=False
    )
    connect(signal, timeout_s=WAIT_S)
    yield signal.get
    signal.destroy()


def test_there_is_no_detuning_before_a_bragg_angle_is_found(gonio: Goniometer) -> None:
    before = gonio.theta.position
    with pytest.raises(BeamlineError, match=r"no Bragg angle is known yet.*run find_bragg"):
        gonio.detuning.set(0.040)
    assert gonio.theta.position == before
    assert gonio.read_configuration()["gonio_bragg_found"]["value"] == 0


def test_detuning_is_theta_above_the_bragg_angle(
    gonio: Goniometer, engine: RunEngine, detuning_now: Any
) -> None:
    engine(bps.mv(gonio.bragg, BRAGG_DEG))
    engine(bps.mv(gonio.detuning, 0.040))
    assert gonio.theta.position == pytest.approx(11.616, abs=1e-6)
    assert gonio.detuning.position == pytest.approx(0.040, abs=1e-6)
    assert gonio.detuning.read()["gonio_detuning"]["value"] == pytest.approx(0.040, abs=1e-6)
    assert detuning_now() == pytest.approx(0.040, abs=1e-6)
    engine(bps.mvr(gonio.detuning, -0.010))
    assert gonio.theta.position == pytest.approx(11.606, abs=1e-6)
    gonio.bragg.put(BRAGG_DEG + 0.001)
    assert gonio.detuning.position == pytest.approx(0.029, abs=1e-6)
    assert gonio.detuning.user_offset.get() == BRAGG_DEG + 0.001  # as %wa shows it


def test_a_detuning_out_of_bounds_is_refused(gonio: Goniometer) -> None:
    gonio.bragg.put(89.5)
    with pytest.raises(ValueError, match="outside of pseudo single limits"):
        gonio.detuning.set(1.5)
    with pytest.raises(LimitError, match="outside of"):
        gonio.detuning.set(0.9)  # theta would be at 90.4


def test_detuning_is_scanned_like_any_motor(
    gonio: Goniometer, engine: RunEngine, documents: Any, instruments: Beamline
) -> None:
    gonio.bragg.put(BRAGG_DEG)
    engine(bp.scan([instruments.ring], gonio.detuning, 0.01, 0.03, 3))
    seen = [doc["data"]["gonio_detuning"] for name, doc in documents if name == "event"]
    assert seen == pytest.approx([0.01, 0.02, 0.03], abs=1e-6)


def test_every_move_ends_from_below(gonio: Goniometer, detuning_now: Any) -> None:
    """Theta has 0.4 mdeg of play; a detuning from above would be wrong by that."""
    for start in (11.60, 11.70):
        gonio.theta.set(start).wait(WAIT_S)
        gonio.theta.set(BRAGG_DEG + 0.04).wait(WAIT_S)
        assert detuning_now() == pytest.approx(0.040, abs=1e-6)
    gonio.theta.approach = 0.0
    try:
        gonio.theta.set(11.70).wait(WAIT_S)
        gonio.theta.set(BRAGG_DEG + 0.04).wait(WAIT_S)
        assert detuning_now() == pytest.approx(0.0404, abs=1e-6)
    finally:
        gonio.theta.approach = 0.005


def test_a_new_move_takes_the_place_of_the_old_one(gonio: Goniometer) -> None:
    first = gonio.theta.set(30.0)
    second = gonio.theta.set(11.6)
    second.wait(WAIT_S)
    assert gonio.theta.position == pytest.approx(11.6, abs=1e-6)
    # on a slow machine the first may have ended before the second began
    error = first.exception(timeout=WAIT_S)
    assert error is None or "another move was begun" in str(error)


def test_a_stalled_motor_is_an_error_that_says_so(gonio: Goniometer, fault: Any) -> None:
    fault("theta:Stuck", 1)
    with pytest.raises(
        BeamlineError, match=r"Gon-Ax:Th}Mtr: gonio_theta did not get to 11.6: .* in alarm STATE"
    ):
        gonio.theta.set(11.6).wait(WAIT_S)


def test_a_motor_that_hangs_is_given_up_and_stopped(gonio: Goniometer, fault: Any) -> None:
    fault("theta:Stuck", 2)
    status = gonio.theta.move(11.6, wait=False, timeout=0.5)
    with pytest.raises(BeamlineError, match="no end of the move was told in time"):
        status.wait(WAIT_S)
    fault("theta:Stuck", 0)
    gonio.theta.set(11.6).wait(WAIT_S)


def test_a_stop_between_both_parts_of_a_move_ends_it(
    gonio: Goniometer, fault: Any, engine: RunEngine
) -> None:
    gonio.theta.set(11.7).wait(WAIT_S)
    fault("theta:Stuck", 2)
    status = gonio.theta.set(11.6)
    gonio.theta.stop()
    with pytest.raises(BeamlineError, match="it was stopped"):
        status.wait(WAIT_S)
    fault("theta:Stuck", 1)
    with pytest.raises(FailedStatus) as caught:
        engine(bps.mv(gonio.theta, 11.65))
    assert isinstance(caught.value.__cause__, BeamlineError)


def test_an_end_that_nobody_tells_is_seen(gonio: Goniometer) -> None:
    """As when an IOC is back, but what is watched is not watched again yet."""
    theta = gonio.theta
    theta.motor_done_move.clear_sub(theta._move_changed)
    try:
        theta.set(11.7).wait(WAIT_S)
        theta.set(11.6).wait(WAIT_S)
    finally:
        theta.motor_done_move.subscribe(theta._move_changed)
    assert theta.user_readback.get(use_monitor=False) == pytest.approx(11.6, abs=1e-6)


def test_the_end_of_another_move_is_not_taken_for_this_one(gonio: Goniometer, fault: Any) -> None:
    theta = gonio.theta
    fault("theta:Stuck", 2)
    status = theta.set(11.7)
    ends: Queue[float] = Queue()
    status.add_callback(lambda _: ends.put(theta.user_readback.get(use_monitor=False)))
    theta._done_moving(success=True)
    fault("theta:Stuck", 0)
    assert ends.get(timeout=WAIT_S) == pytest.approx(11.7, abs=1e-6)
    assert status.success


def test_a_move_that_a_pause_stops_has_not_failed(gonio: Goniometer, fault: Any) -> None:
    """The RunEngine stops motors so when it pauses; tidying up then moves them again."""
    theta = gonio.theta
    for _ in range(5):
        fault("theta:Stuck", 2)
        first = theta.set(11.7)
        theta.stop(success=True)
        second = theta.set(11.65)
        fault("theta:Stuck", 0)
        second.wait(WAIT_S)
        assert first.exception(timeout=WAIT_S) is None
        assert theta.position == pytest.approx(11.65, abs=1e-6)


def test_the_bragg_angle_follows_the_energy(instruments: Beamline, gonio: Goniometer) -> None:
    mono = instruments.mono
    assert mono is not None
    gonio.bragg.put(BRAGG_DEG)
    mono.energy.set(15.1).wait(WAIT_S)
    try:
        shift = float(bragg_angle_deg(15.1)) - float(bragg_angle_deg(15.0))
        assert gonio.bragg.get() == pytest.approx(BRAGG_DEG + shift, abs=1e-6)
        assert gonio.bragg_found.get() == 1
        assert mono.crystal_bragg_deg == pytest.approx(float(bragg_angle_deg(15.1)), abs=1e-6)
        assert mono.read()["mono_crystal_bragg"]["value"] == mono.crystal_bragg_deg
    finally:
        mono.energy.set(15.0).wait(WAIT_S)
    assert gonio.bragg.get() == pytest.approx(BRAGG_DEG, abs=1e-6)


def test_attenuators_put_in_what_comes_closest(instruments: Beamline) -> None:
    attenuators, chamber = instruments.attenuators, instruments.ion_chamber
    assert attenuators is not None
    assert chamber is not None
    instruments.shutter.set("open").wait(WAIT_S)
    try:
        full = chamber.current.get()
        attenuators.set(0.1).wait(WAIT_S)
        passed = attenuators.read()["attenuators_transmission"]["value"]
        assert passed == pytest.approx(0.1, rel=0.06)
        assert chamber.current.get() == pytest.approx(full * passed, rel=0.02)
        with pytest.raises(BeamlineError, match="above 0 and at most 1"):
            attenuators.set(0.0)
    finally:
        attenuators.set(1.0).wait(WAIT_S)
        instruments.shutter.set("closed").wait(WAIT_S)


def test_arm_slits_stop_and_sample_are_where_they_should_be(instruments: Beamline) -> None:
    arm, slits, stop = instruments.arm, instruments.slits, instruments.beam_stop
    assert arm is not None
    assert slits is not None
    assert stop is not None
    assert arm.distance_m == pytest.approx(0.494)
    assert arm.two_theta.position == pytest.approx(23.152)
    assert slits.x_gap.position == pytest.approx(1.0)
    assert (stop.x.position, stop.y.position) == (0.0, 0.0)
    assert stop.diode.get() >= 0.0


def test_all_axes_are_found_by_their_labels(instruments: Beamline) -> None:
    names = {"gonio": instruments.goniometer, "mono": instruments.mono, "arm": instruments.arm}
    found = get_labeled_devices(
        names | {"shutter": instruments.shutter, "mon": instruments.monitor}
    )
    motors = {name for name, _ in found["motors"]}
    assert {"gonio.theta", "gonio.detuning", "gonio.x", "mono.energy", "arm.z"} <= motors
    assert {name for name, _ in found["shutters"]} == {"shutter"}
    assert {name for name, _ in found["detectors"]} == {"mon"}
