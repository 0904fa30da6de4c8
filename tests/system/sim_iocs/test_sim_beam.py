"""The intensity monitor sees the rocking curve, the shutter, the ring and the crystal."""

from __future__ import annotations

import pytest

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
    bragg_deg = lit.get("World:Bragg_RBV")
    best = {"Gon-x": lit.get("World:BestX_RBV"), "Gon-y": lit.get("World:BestY_RBV")}
    lit.put_all(best)
    assert lit.get("World:Mosaic_RBV") < at_origin - 0.01
    lit.put_all({"Gon-x": 1.0, "Gon-y": 1.0})
    assert abs(lit.get("World:Bragg_RBV") - bragg_deg) > 1e-5
