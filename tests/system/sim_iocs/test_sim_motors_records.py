"""Motor records: scales, modes, switches, jogging, homing, backlash and faults."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ophyd import EpicsMotor, EpicsSignalRO

CHI = "ES{Gon-Ax:Chi}Mtr"
WAIT_S = 60


class Axis:
    """One motor record by its fields."""

    def __init__(self, pvs: Any, name: str) -> None:
        self.pvs, self.name = pvs, name

    def get(self, field: str, text: bool = False) -> Any:
        return self.pvs.get(f"{self.name}.{field}", text)

    def put(self, field: str, value: Any) -> None:
        self.pvs.put(f"{self.name}.{field}", value)


@pytest.fixture
def chi(sim: Any) -> Iterator[Axis]:
    """The chi axis, at 0 and as it was made, before and after a test."""
    axis = Axis(sim, CHI)
    yield axis
    for fault in ("Stuck", "Slow"):
        sim.put(f"SIM:chi:{fault}", int(fault == "Slow"))
    for field, value in {"SPMG": 3, "SET": 0, "DIR": 0, "OFF": 0.0, "FOFF": 0, "BDST": 0.0}.items():
        axis.put(field, value)
    axis.put("DHLM", 5.0)
    axis.put("DLLM", -5.0)
    axis.put("VAL", 0.0)


def test_dial_raw_and_relative_set_points_move_too(chi: Axis) -> None:
    chi.put("DVAL", 0.5)
    assert chi.get("RBV") == pytest.approx(0.5)
    chi.put("RLV", 0.25)
    assert chi.get("VAL") == pytest.approx(0.75)
    assert chi.get("RLV") == 0.0
    chi.put("RVAL", 20000)
    assert chi.get("RBV") == pytest.approx(0.2)
    assert chi.get("RRBV") == 20000
    assert chi.get("DIFF") == 0.0


def test_a_reversed_user_scale_swaps_the_limits(chi: Axis) -> None:
    chi.put("DHLM", 4.0)
    chi.put("DIR", 1)
    assert (chi.get("LLM"), chi.get("HLM")) == (-4.0, 5.0)
    chi.put("VAL", 1.0)
    assert chi.get("DRBV") == pytest.approx(-1.0)
    assert chi.get("TDIR") == 1
    assert chi.get("CDIR") == 0


def test_set_calls_the_position_something_else(chi: Axis) -> None:
    chi.put("SET", 1)
    chi.put("VAL", 2.0)
    chi.put("SET", 0)
    assert (chi.get("RBV"), chi.get("DRBV"), chi.get("OFF")) == (2.0, 0.0, 2.0)
    assert (chi.get("LLM"), chi.get("HLM")) == (-3.0, 7.0)
    chi.put("OFF", 0.0)
    chi.put("FOFF", 1)
    chi.put("SET", 1)
    chi.put("VAL", 1.0)
    assert (chi.get("RBV"), chi.get("DRBV"), chi.get("OFF")) == (1.0, 1.0, 0.0)
    chi.put("VAL", 0.0)


def test_backlash_is_taken_up_from_one_side(chi: Axis, wait_until: Any) -> None:
    chi.put("BDST", 0.2)
    chi.put("VAL", 1.0)
    seen: list[float] = []
    readback = EpicsSignalRO(f"{chi.pvs.prefix}{CHI}.RBV", name="readback", auto_monitor=True)
    try:
        readback.wait_for_connection(timeout=WAIT_S)
        readback.subscribe(lambda value, **_: seen.append(value))
        chi.put("VAL", 0.0)
        wait_until(lambda: seen and seen[-1] == 0.0, WAIT_S)
    finally:
        readback.destroy()
    assert min(seen) == pytest.approx(-0.2)


def test_pause_keeps_the_target_and_stop_forgets_it(chi: Axis) -> None:
    chi.put("SPMG", 1)
    chi.put("VAL", 1.0)
    assert chi.get("RBV") == 0.0
    assert chi.get("VAL") == 1.0
    chi.put("SPMG", 3)
    assert chi.get("RBV") == pytest.approx(1.0)
    chi.put("SPMG", 0)
    chi.put("VAL", 2.0)
    assert chi.get("RBV") == pytest.approx(1.0)
    chi.put("SPMG", 2)  # one move, then pause again
    assert chi.get("RBV") == pytest.approx(2.0)
    assert chi.get("SPMG") == 1


def test_a_limit_switch_ends_a_move_with_an_alarm(chi: Axis) -> None:
    chi.put("HLM", 20.0)
    chi.put("VAL", 10.0)
    assert chi.get("RBV") == pytest.approx(6.0)  # the switch is 1 deg beyond the first limit
    assert (chi.get("HLS"), chi.get("LLS")) == (1, 0)
    assert chi.get("SEVR", text=True) == "MAJOR"
    assert chi.get("STAT", text=True) == "HIGH"
    assert chi.get("MSTA") & 4
    chi.put("VAL", 0.0)
    assert (chi.get("HLS"), chi.get("SEVR", text=True)) == (0, "NO_ALARM")


def test_jogging_goes_on_until_it_is_told_to_end(chi: Axis, wait_until: Any) -> None:
    chi.put("JVEL", 0.5)
    jog = chi.pvs.begin(f"{CHI}.JOGR", 1)
    wait_until(lambda: chi.get("RBV") < -0.02, WAIT_S)
    chi.put("JOGR", 0)
    assert jog.wait(WAIT_S)
    wait_until(lambda: chi.get("DMOV") == 1, WAIT_S)
    assert -5.0 < chi.get("RBV") < 0.0


def test_homing_finds_the_switch(chi: Axis) -> None:
    chi.put("VAL", 1.5)
    assert chi.get("ATHM") == 0
    chi.put("HOMR", 1)
    assert (chi.get("RBV"), chi.get("ATHM"), chi.get("HOMR")) == (0.0, 1, 0)
    assert chi.get("MSTA") & (1 << 14)


def test_a_stalled_motor_stands_with_an_alarm(chi: Axis, sim: Any) -> None:
    sim.put("SIM:chi:Stuck", 1)
    chi.put("VAL", 1.0)
    assert (chi.get("RBV"), chi.get("DMOV"), chi.get("MISS")) == (0.0, 1, 1)
    assert chi.get("SEVR", text=True) == "MAJOR"
    assert chi.get("MSTA") & (1 << 6)
    sim.put("SIM:chi:Stuck", 0)
    chi.put("VAL", 1.0)
    assert (chi.get("RBV"), chi.get("MISS")) == (1.0, 0)


def test_a_hanging_motor_moves_until_it_is_stopped(chi: Axis, sim: Any) -> None:
    sim.put("SIM:chi:Stuck", 2)
    move = sim.begin(f"{CHI}.VAL", 1.0)
    assert not move.wait(0.3)
    assert (chi.get("DMOV"), chi.get("RBV")) == (0, 0.0)
    chi.put("STOP", 1)
    assert move.wait(WAIT_S)
    assert (chi.get("DMOV"), chi.get("VAL")) == (1, 0.0)


def test_a_slow_motor_takes_longer(chi: Axis, sim: Any, wait_until: Any) -> None:
    sim.put("SIM:chi:Slow", 1000.0)  # 20 ms become 20 s
    move = sim.begin(f"{CHI}.VAL", 4.0)
    wait_until(lambda: 0.0 < chi.get("RBV") < 3.9, WAIT_S)
    assert not move.is_set()
    chi.put("STOP", 1)
    assert move.wait(WAIT_S)


def test_the_axis_lags_behind_after_a_move_down(sim: Any) -> None:
    """Theta has play, which its readback does not show."""
    theta, play_deg = "ES{Gon-Ax:Th}Mtr", 0.0004
    sim.put(theta, 11.5)
    sim.put(theta, 11.526)
    from_below = sim.get("World:Detuning_RBV")
    sim.put(theta, 11.6)
    sim.put(theta, 11.526)
    assert sim.get(f"{theta}.RBV") == pytest.approx(11.526, abs=1e-9)
    assert sim.get("World:Detuning_RBV") - from_below == pytest.approx(play_deg, abs=1e-7)
    sim.put(theta, 11.5)
    sim.put(theta, 11.526)
    assert sim.get("World:Detuning_RBV") == pytest.approx(from_below, abs=1e-9)


@pytest.mark.parametrize(
    "name", ["ES{Arm-Ax:2Th}Mtr", "OP{Mono:DCM-Ax:Energy}Mtr", "OP{Slt:MB-Ax:XGap}Mtr"]
)
def test_ophyd_takes_every_axis_for_a_motor(sim: Any, name: str) -> None:
    motor = EpicsMotor(sim.prefix + name, name="motor")
    try:
        motor.wait_for_connection(all_signals=True, timeout=WAIT_S)
        assert motor.low_limit < motor.position < motor.high_limit
        assert motor.egu in ("deg", "keV", "mm")
        assert motor.user_setpoint.get() == motor.position
    finally:
        motor.destroy()
