"""Motor records: travel, completion, stop, limits, offset."""

from __future__ import annotations

import pytest
from ophyd import EpicsMotor


@pytest.fixture
def theta(beamline, sim):
    motor = EpicsMotor(f"{beamline.prefixes.beamline}Gon-theta", name="theta")
    motor.wait_for_connection(all_signals=True, timeout=60)
    motor.move(11.526, timeout=60)
    yield motor
    motor.move(11.526, timeout=60)
    motor.destroy()


@pytest.fixture
def slow(sim):
    """Function that lets theta take a given time for any way, not 20 ms."""
    yield lambda seconds: sim.put("SIM:theta:Slow", seconds / 0.02)
    sim.put("SIM:theta:Slow", 1.0)


def test_move_passes_through_the_positions_between(theta, slow):
    seen = []
    slow(1.0)
    theta.user_readback.subscribe(lambda value, **_: seen.append(value), run=False)
    theta.move(11.626, timeout=60)
    assert theta.position == pytest.approx(11.626, abs=1e-6)
    between = [value for value in seen if 11.5265 < value < 11.6255]
    assert len(between) >= 2
    assert between == sorted(between)


def test_put_completes_when_the_motor_stands(theta, sim):
    done = sim.begin("Gon-theta", 11.7)
    assert done.wait(60)
    assert sim.get("Gon-theta.DMOV") == 1
    assert sim.get("Gon-theta.RBV") == pytest.approx(11.7, abs=1e-6)


def test_moving_flag_goes_up_and_down_even_for_no_distance(theta, wait_until):
    seen = []
    theta.motor_done_move.subscribe(lambda value, **_: seen.append(int(value)), run=False)
    theta.move(theta.position, timeout=60)
    wait_until(lambda: seen and seen[-1] == 1, what="DMOV back at 1")
    assert 0 in seen


def test_stop_leaves_the_motor_on_the_way(theta, sim, slow):
    slow(60.0)
    done = sim.begin("Gon-theta", 61.5)
    stopped = sim.begin("Gon-theta.STOP", 1)
    assert done.wait(60)
    assert stopped.wait(60)
    position = sim.get("Gon-theta.RBV")
    assert 11.526 <= position < 61.5
    assert sim.get("Gon-theta.VAL") == pytest.approx(position, abs=1e-9)
    assert sim.get("Gon-theta.DMOV") == 1


def test_new_target_on_the_way_is_reached(theta, sim):
    first = sim.begin("Gon-theta", 30.0)
    second = sim.begin("Gon-theta", 12.0)
    assert first.wait(60)
    assert second.wait(60)
    assert sim.get("Gon-theta.RBV") == pytest.approx(12.0, abs=1e-6)


def test_limits_refuse_a_position(theta, sim):
    sim.put("Gon-theta.HLM", 20.0)
    try:
        sim.put("Gon-theta.VAL", 20.5)
        assert sim.get("Gon-theta.LVIO") == 1
        assert sim.get("Gon-theta.VAL") == pytest.approx(11.526)
        assert sim.get("Gon-theta.RBV") == pytest.approx(11.526)
        sim.put("Gon-theta.VAL", 12.0)
        assert sim.get("Gon-theta.LVIO") == 0
    finally:
        sim.put("Gon-theta.HLM", 90.0)


def test_offset_shifts_the_scale_and_not_the_crystal(theta, sim):
    detuning_deg = sim.get("World:Detuning_RBV")
    sim.put("Gon-theta.OFF", 0.5)
    try:
        assert sim.get("Gon-theta.RBV") == pytest.approx(12.026, abs=1e-6)
        assert sim.get("World:Detuning_RBV") == pytest.approx(detuning_deg, abs=1e-9)
        sim.put("Gon-theta.VAL", 12.126)
        assert sim.get("Gon-theta.DRBV") == pytest.approx(11.626, abs=1e-6)
    finally:
        sim.put("Gon-theta.OFF", 0.0)


def test_tweak_moves_by_one_step(theta, sim):
    sim.put("Gon-theta.TWV", 0.01)
    sim.put("Gon-theta.TWF", 1)
    assert sim.get("Gon-theta.RBV") == pytest.approx(11.536, abs=1e-6)
