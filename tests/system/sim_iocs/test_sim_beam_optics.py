"""Optics, ring, scaler and faults of the beamline, and a scan over the reflection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from caproto.threading.client import Context
from ophyd import EpicsSignalRO
from ophyd.scaler import ScalerCH

from sim_iocs.beamline import World, load_beamline
from twinbeam.plans import fit_peak

WAIT_S = 60
FOIL = "OP{Flt:1-Foil:2}"
THETA = "ES{Gon-Ax:Th}Mtr"


@pytest.fixture
def lit(sim: Any) -> Iterator[Any]:
    sim.put("Sht-Cmd:Opn", 1)
    sim.put("Mon-Time", 0.02)
    yield sim
    sim.put_all({"SIM:Monitor:Noise": 0.0, "SIM:Shutter:Stuck": 0, "OP{Flt:1}Trans-SP": 1.0})
    sim.put("SIM:Refill", 1)
    sim.put("Ring-I-SP", 400.0)
    sim.put(THETA, 11.5)
    sim.put(THETA, 11.526)


def test_both_names_are_the_same_record(sim: Any) -> None:
    sim.put("Mon-Time", 0.07)
    assert sim.get("BI{Mon:1}Time-SP") == 0.07
    assert sim.get("Gon-theta.RBV") == sim.get(f"{THETA}.RBV")
    assert sim.get("Ring-I-SP") == sim.get("SR-BI{DCCT:1}I:Top-SP")


def test_a_scan_of_the_best_place_is_three_millidegrees_wide(lit: Any) -> None:
    best = {"Gon-x": lit.get("World:BestX_RBV"), "Gon-y": lit.get("World:BestY_RBV")}
    lit.put_all(best)
    bragg_deg = lit.get("World:Bragg_RBV")
    lit.put(THETA, bragg_deg - 0.02)
    angles, rates = [], []
    for angle in bragg_deg + np.linspace(-0.006, 0.006, 25):
        lit.put(THETA, float(angle))
        lit.put("Mon-Cnt", 1)
        angles.append(lit.get(f"{THETA}.RBV"))
        rates.append(lit.get("Mon-I"))
    counted = np.array(rates)
    fit = fit_peak(np.array(angles), counted, np.sqrt(np.maximum(counted, 1.0) / 0.02))
    assert 1e3 * fit.fwhm == pytest.approx(3.0, abs=0.1)
    assert fit.centre == pytest.approx(bragg_deg, abs=1e-4)


def test_foils_dim_the_beam_and_a_transmission_chooses_them(lit: Any) -> None:
    lit.put(f"{FOIL}Pos-Cmd", 1)
    assert lit.get(f"{FOIL}Pos-Sts", text=True) == "In"
    one_foil = lit.get("OP{Flt:1}Trans-I")
    assert one_foil == pytest.approx(0.807, abs=0.01)
    assert lit.get("World:Flux_RBV") == pytest.approx(one_foil, rel=0.01)
    lit.put("OP{Flt:1}Trans-SP", 0.01)
    assert lit.get("OP{Flt:1}Trans-I") == pytest.approx(0.01, rel=0.06)
    lit.put("OP{Flt:1}Trans-SP", 1.0)
    assert lit.get(f"{FOIL}Pos-Sts", text=True) == "Out"


def test_slits_and_ion_chamber_follow(lit: Any) -> None:
    full = lit.get("BI{IC:1}I-I")
    assert full > 1e-8
    lit.put("OP{Slt:MB-Ax:XCtr}Mtr", 0.5)
    try:
        assert lit.get("BI{IC:1}I-I") == pytest.approx(full / 2, rel=0.01)
    finally:
        lit.put("OP{Slt:MB-Ax:XCtr}Mtr", 0.0)


def test_the_reflection_follows_the_energy(lit: Any) -> None:
    at_15 = lit.get("World:Bragg_RBV")
    lit.put("OP{Mono:DCM-Ax:Energy}Mtr", 15.01)
    try:
        site = load_beamline()
        places = {role: motor.start for role, motor in site.motors.items()} | {"energy": 15.01}
        expected = World(site, 1).bragg_deg(places)
        assert lit.get("World:Bragg_RBV") == pytest.approx(expected, abs=1e-7)
        assert lit.get("World:Bragg_RBV") < at_15 - 0.005
        assert lit.get("OP{Mono:DCM}Bragg-I") < 7.574
    finally:
        lit.put("OP{Mono:DCM-Ax:Energy}Mtr", 15.0)


def test_the_pairs_are_shown_for_the_present_detuning(lit: Any, wait_until: Any) -> None:
    bragg_deg = lit.get("World:Bragg_RBV")
    lit.put(THETA, bragg_deg + 0.040)
    wait_until(lambda: abs(lit.get("World:RingRadius_RBV") - 210.484) < 0.01, WAIT_S)
    assert lit.get("World:Acceptance_RBV") == pytest.approx(0.41, abs=0.01)
    assert lit.get("World:PairRate_RBV") == pytest.approx(2.16667, rel=0.02)
    lit.put("Sht-Cmd:Cls", 1)
    wait_until(lambda: lit.get("World:PairRate_RBV") == 0.0, WAIT_S)


def test_a_beam_dump_takes_the_beam_until_the_ring_is_filled(lit: Any, wait_until: Any) -> None:
    lit.put("SIM:Dump", 1)
    assert lit.get("SR-BI{DCCT:1}I:Real-I") == 0.0
    assert lit.get("SR-BI{DCCT:1}I:Mode-Sts", text=True) == "Beam dump"
    assert lit.get("World:Flux_RBV") == 0.0
    lit.put("SIM:Refill", 1)
    wait_until(lambda: lit.get("SR-BI{DCCT:1}I:Real-I") > 10.0, WAIT_S, "injection")
    wait_until(lambda: lit.get("World:Flux_RBV") > 0.02, WAIT_S)


def test_a_stuck_shutter_stays_as_it_is(lit: Any) -> None:
    lit.put("SIM:Shutter:Stuck", 1)
    lit.put("Sht-Cmd:Cls", 1)
    assert lit.get("Sht-Sts", text=True) == "Open"
    lit.put("SIM:Shutter:Stuck", 0)
    lit.put("Sht-Cmd:Cls", 1)
    assert lit.get("Sht-Sts", text=True) == "Closed"


def test_a_noisy_monitor_scatters(lit: Any) -> None:
    lit.put(THETA, lit.get("World:Bragg_RBV"))
    lit.put("SIM:Monitor:Noise", 0.3)
    rates = []
    for _ in range(12):
        lit.put("Mon-Cnt", 1)
        rates.append(lit.get("Mon-I"))
    # Poisson noise alone would be 0.7 %
    assert np.std(rates) / np.mean(rates) > 0.05


def test_the_scaler_counts_like_a_scaler(lit: Any) -> None:
    lit.put(THETA, lit.get("World:Bragg_RBV"))
    scaler = ScalerCH(f"{lit.prefix}ES{{Sclr:1}}", name="scaler")
    signals = [EpicsSignalRO(f"{lit.prefix}ES{{Sclr:1}}.S{n}", name=f"s{n}") for n in (1, 2, 3)]
    try:
        scaler.wait_for_connection(timeout=WAIT_S)
        scaler.select_channels(None)
        assert scaler.channels.chan02.s.name == "monitor"
        scaler.preset_time.put(0.1, wait=True)
        scaler.trigger().wait(WAIT_S)
        for signal in signals:
            signal.wait_for_connection(timeout=WAIT_S)
        clock, monitor, chamber = (signal.get() for signal in signals)
    finally:
        for device in (scaler, *signals):
            device.destroy()
    assert clock == pytest.approx(1e6, rel=0.01)
    assert monitor == pytest.approx(1e5, rel=0.05)
    assert chamber > 1000


def test_temperatures_are_there(sim: Any) -> None:
    for description in load_beamline().temperatures.values():
        assert sim.get(description.pv) == pytest.approx(description.celsius, abs=1.0)


def test_another_site_has_its_own_names(run_iocs: Any, beamline: Any, tmp_path: Path) -> None:
    text = Path(load_beamline.__code__.co_filename).with_name("chx.yaml").read_text()
    site = tmp_path / "site.yaml"
    site.write_text(text.replace("ES{Gon-Ax:Th}Mtr", "m1").replace("start: 11.526", "start: 3.5"))
    port = beamline.spare_ports[0]
    arguments = ("beamline", f"--port={port}", "--beamline-prefix=ELSE:", f"--beamline-file={site}")
    with run_iocs(*arguments):
        context = Context()
        try:
            (theta,) = context.get_pvs("ELSE:m1.RBV")
            theta.wait_for_connection(timeout=WAIT_S)
            assert theta.read(timeout=WAIT_S).data[0] == 3.5
        finally:
            context.disconnect()
