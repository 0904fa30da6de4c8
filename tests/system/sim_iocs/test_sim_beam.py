"""The intensity monitor sees the rocking curve, the shutter, the ring and the crystal."""

from __future__ import annotations

import pytest

from sim_iocs.beamline.world import Crystal, Monitor, ring_current_ma

_BRAGG_DEG = 11.576


def _count(sim, theta_deg: float) -> float:
    sim.put("Gon-theta", theta_deg)
    sim.put("Mon-Cnt", 1)
    return sim.get("Mon-I")


@pytest.fixture
def lit(sim):
    sim.put("Sht-Cmd:Opn", 1)
    assert sim.get("Sht-Sts", text=True) == "Open"
    sim.put("Mon-Time", 0.05)
    yield sim
    sim.put("Gon-theta", 11.526)


def test_intensity_peaks_at_the_bragg_angle(lit):
    steps_mdeg = (-50.0, -3.0, -1.5, 0.0, 1.5, 3.0, 50.0)
    curve = {step: _count(lit, _BRAGG_DEG + 1e-3 * step) for step in steps_mdeg}
    assert max(curve, key=curve.get) == 0.0
    assert curve[0.0] == pytest.approx(1e6, rel=0.05)
    # Half of the peak at half of 3.04 mdeg.
    assert curve[1.5] == pytest.approx(0.5e6, rel=0.15)
    assert curve[-1.5] == pytest.approx(0.5e6, rel=0.15)
    assert curve[-50.0] < 1e-3 * curve[0.0]
    assert curve[50.0] < 1e-3 * curve[0.0]


def test_counts_are_whole_and_fluctuate(lit):
    lit.put("Gon-theta", _BRAGG_DEG)
    rates = set()
    for _ in range(4):
        lit.put("Mon-Cnt", 1)
        counts = lit.get("Mon-Cts")
        assert lit.get("Mon-I") == pytest.approx(counts / 0.05)
        rates.add(counts)
    assert len(rates) > 1


def test_closed_shutter_leaves_dark_counts_only(lit):
    assert _count(lit, _BRAGG_DEG) > 1e5
    lit.put("Sht-Cmd:Cls", 1)
    assert lit.get("Sht-Sts", text=True) == "Closed"
    assert lit.get("World:Flux_RBV") == 0.0
    assert _count(lit, _BRAGG_DEG) < 500.0


def test_lost_beam_takes_the_intensity_with_it(lit):
    lit.put("Ring-I-SP", 0.0)
    assert lit.get("Ring-I") == 0.0
    assert _count(lit, _BRAGG_DEG) < 500.0


def test_place_on_the_crystal_matters(lit):
    at_origin = lit.get("World:Mosaic_RBV")
    detuning_deg = lit.get("World:Detuning_RBV")
    lit.put_all({"Gon-x": 0.6, "Gon-y": -0.4})
    assert lit.get("World:Mosaic_RBV") < at_origin
    assert abs(lit.get("World:Detuning_RBV") - detuning_deg) > 1e-5


def test_crystal_is_nominal_at_its_origin():
    crystal = Crystal()
    assert crystal.mosaic_at(0.0, 0.0) == pytest.approx(2.7253)
    assert crystal.detuning_deg(11.576, 0.0, 0.0) == pytest.approx(0.0, abs=1e-12)
    assert (
        min(crystal.mosaic_at(x / 10, y / 10) for x in range(-20, 21) for y in range(-20, 21)) > 1
    )


def test_integrated_intensity_does_not_depend_on_the_mosaic():
    monitor = Monitor(scatter_hz=0.0, dark_hz=0.0)
    steps_deg = [1e-4 * n for n in range(-400, 401)]
    sums = [sum(monitor.rate_hz(d, mosaic, 1.0) for d in steps_deg) for mosaic in (2.0, 3.0)]
    assert sums[0] == pytest.approx(sums[1], rel=0.1)


def test_ring_current_stays_near_its_set_point():
    currents = [ring_current_ma(400.0, second) for second in range(0, 240, 5)]
    assert 398.5 < min(currents) < max(currents) < 401.5
    assert max(currents) - min(currents) > 1.0
