"""A beam dump is waited for; and what calibrations find on the same instruments is true."""

from __future__ import annotations

import math
import threading
from typing import Any

import pytest
from ophyd import EpicsSignal
from test_plan_faults import (
    BRAGG_DEG,
    EXPOSURES,
    PLANS,
    WAIT_S,
    Bench,
    bench,
    instruments,
)

from twinbeam import plans

__all__ = ["bench", "instruments"]

THRESHOLD_KEV = 3.0
PREFIX, DETECTOR = "DUMPED:", "DUMPED-TPX3:"


@pytest.mark.parametrize("name", PLANS)
def test_a_beam_dump_is_waited_for(bench: Bench, name: str) -> None:
    it, ring = bench.it, bench.it.ring.current
    full_ma = float(ring.get(use_monitor=False))
    setpoint = EpicsSignal(f"{PREFIX}Ring-I-SP", name="setpoint")
    setpoint.wait_for_connection(timeout=WAIT_S)
    suspender = plans.suspend_on_beam_loss(it.ring, it.detector, below_ma=100.0, settle_s=0.1)
    bench.engine.install_suspender(suspender)
    trips: list[bool] = []
    threads: list[threading.Thread] = []
    count = iter(range(10**9))

    def dump() -> None:
        setpoint.put(0.0)
        bench.wait_until(lambda: suspender.tripped, WAIT_S, "the suspender sees it")
        trips.append(True)
        setpoint.put(full_ma)

    def hook(message: Any) -> None:
        exposing = message.command in ("trigger", "kickoff")
        if not threads and (exposing if name in EXPOSURES else next(count) == 40):
            threads.append(threading.Thread(target=dump))
            threads[0].start()

    bench.engine.msg_hook = hook
    try:
        ended = bench.engine(PLANS[name](it, 1.0))
    finally:
        bench.engine.msg_hook = None
        setpoint.put(full_ma)
        for thread in threads:
            thread.join(WAIT_S)
        bench.engine.remove_suspender(suspender)
        setpoint.destroy()
    assert ended.exit_status == "success"
    assert bench.documents == [] if name == "set_detuning" else bench.exit_status == "success"
    assert trips == [True] or name == "set_detuning"  # which is over before anybody looks
    if name == "find_bragg":
        result = ended.plan_result
        assert abs(result.angle_deg - BRAGG_DEG) < 6.0 * result.angle_err_deg + 2e-5
    elif name == "count_pairs":
        assert ended.plan_result.numbers.significance > 5.0
    elif name == "detuning_scan":
        frames = [len(d["seq_num"]) for kind, d in bench.documents if kind == "event_page"]
        assert sum(frames) == 20
    bench.safe()


def within(value: float, error: float, true: float, sigmas: float = 5.0) -> bool:
    """Whether a value agrees with the truth within its stated error."""
    return error > 0.0 and abs(value - true) < sigmas * error


def noise_hz(steps: float) -> float:
    """Hits of four chips a second from noise: how often it crosses a threshold (Rice's formula)."""
    threshold_kev = THRESHOLD_KEV + 10 * 3.62e-3 * steps
    return float(4 * 65536 * 1e6 * math.exp(-0.5 * (threshold_kev / 0.255) ** 2))


def test_calibrations_find_what_is_true(bench: Bench) -> None:
    it, engine = bench.it, bench.engine
    exposure = {"seconds": 0.5, "frame_s": 0.5}
    aimed = {**exposure, "bragg_deg": BRAGG_DEG}

    def run(plan: Any) -> Any:
        return engine(plan).plan_result

    centre = run(plans.find_center(it.detector, it.shutter, **aimed)).centre
    for value, error in zip(centre.centre_px, centre.errors_px, strict=True):
        assert within(value, error, 258.0)
        assert error < 0.2
    walk = run(plans.calibrate_timewalk(it.detector, it.shutter, **exposure)).calibration
    (b, k), (b_err, k_err) = walk.exponential.values, walk.exponential.errors
    assert within(b, b_err, 167.0)
    assert within(k, k_err, 0.016)
    # far off, for pairs of half the energy are as many as scattered photons here
    it.goniometer.theta.set(BRAGG_DEG - 1.0).wait(WAIT_S)
    energies = {"energies_kev": [7.0, 9.0, 12.0, 15.0], "seconds": 0.3, "frame_s": 0.3}
    home_kev = float(it.mono.energy.position)
    found = run(plans.calibrate_tot(it.detector, it.mono.energy, it.shutter, **energies))
    curve = found.calibration.curve
    for kev in (8.0, 11.0, 14.0):
        true_ns = 25.77 * kev + 170.0 - 150.0 / (kev - 2.0)
        error_ns = float(curve.tot_error_ns(kev)) + 1.0
        assert within(float(curve.tot_ns(kev)), error_ns, true_ns), kev
    assert it.mono.energy.position == pytest.approx(home_kev, abs=1e-3)
    image = run(plans.classical_image(it.detector, it.shutter, photons=500, **exposure))
    assert image.photons == image.image.sum() == 500
    shifts = [-60, -50, -45, -40, -35, -30, -20, 0]
    scan = {"thresholds": shifts, "seconds": 0.5, "frame_s": 0.25}
    dark = run(plans.threshold_scan(it.detector, it.detector.threshold, it.shutter, **scan))
    assert it.detector.threshold.steps == 0.0
    others_hz = dark.rates_hz[-1]  # hot pixels; no noise at the usual threshold, and no light
    assert others_hz < 60.0
    true_hz = [noise_hz(shift) + others_hz for shift in shifts]
    quiet = [shift for shift, hz in zip(shifts, true_hz, strict=True) if hz < 100.0]
    assert dark.best == min(quiet)
    for rate_hz, hz in zip(dark.rates_hz[2:], true_hz[2:], strict=True):  # few enough to count
        assert abs(rate_hz - hz) < 5.0 * ((hz + others_hz) / 0.5 + 16.0) ** 0.5
    aimed["detunings_deg"] = [0.02, 0.04]
    rings = run(plans.distance_from_rings(it.detector, it.shutter, it.goniometer.theta, **aimed))
    assert within(rings.distance_m, rings.error_m, 0.494)
    assert rings.error_m < 0.005
    bench.safe()
