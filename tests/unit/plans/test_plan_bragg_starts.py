"""The search for the Bragg angle never ends on a wrong answer without saying so."""

from __future__ import annotations

import numpy as np
import pytest
from pure_beamline import BRAGG_DEG, PureBeamline, walk

from twinbeam.errors import BeamlineError
from twinbeam.plans import find_bragg


def search(bench: PureBeamline, **arguments: float) -> tuple[float, float]:
    """What is found, and its error."""
    plan = find_bragg(bench.monitor, bench.theta, shutter=bench.shutter, **arguments)
    result, _ = walk(plan)
    return result.angle_deg, result.angle_err_deg


def test_two_hundred_random_starts() -> None:
    rng = np.random.default_rng(3)
    pulls = []
    for start, offset_deg in enumerate(rng.uniform(-0.3, 0.3, 200)):
        bench = PureBeamline(start)
        bench.world.theta_deg = BRAGG_DEG + offset_deg
        angle_deg, error_deg = search(bench, centre_deg=BRAGG_DEG + offset_deg)
        pulls.append((angle_deg - BRAGG_DEG) / error_deg)
        assert abs(bench.world.theta_deg - angle_deg) < 1e-6
        assert bench.is_safe()
    assert np.abs(pulls).max() < 5.0
    assert 0.7 < np.std(pulls) < 1.4


def test_hard_conditions_are_either_right_or_said() -> None:
    rng = np.random.default_rng(4)
    found = refused = 0
    for start in range(40):
        flux, mosaic_mdeg = 10.0 ** rng.uniform(-5.0, 0.0), rng.uniform(1.0, 8.0)
        bench = PureBeamline(start, flux=flux, mosaic_mdeg=mosaic_mdeg)
        centre_deg = BRAGG_DEG + rng.uniform(-0.5, 0.5)
        bench.world.theta_deg = home_deg = round(centre_deg, 6)
        try:
            angle_deg, error_deg = search(bench, centre_deg=centre_deg, widest_deg=0.6)
        except BeamlineError:
            refused += 1
            assert bench.world.theta_deg == home_deg
        else:
            found += 1
            assert abs(angle_deg - BRAGG_DEG) < max(5.0 * error_deg, 1e-4)
        assert bench.is_safe()
    assert found > 10
    assert refused > 10


def test_a_flash_of_light_is_not_the_peak() -> None:
    bench = PureBeamline()
    count = bench.world.rate_hz
    calls = iter(range(10**6))
    bench.world.rate_hz = lambda s: 1e6 if next(calls) == 20 else count(s)  # type: ignore[method-assign]
    bench.world.flux = 0.0
    with pytest.raises(BeamlineError, match="not there when looked at again"):
        search(bench, centre_deg=11.5)


def test_a_beam_that_is_gone_in_the_end_is_noticed() -> None:
    bench = PureBeamline()
    count = bench.world.rate_hz
    whole = walk(find_bragg(bench.monitor, bench.theta, shutter=bench.shutter))[0].points
    calls = iter(range(1, 10**6))

    def fading(count_s: float) -> float:
        if next(calls) == whole:
            bench.world.flux = 0.5
        return count(count_s)

    bench.world.rate_hz = fading  # type: ignore[method-assign]
    with pytest.raises(BeamlineError, match="theta back at the maximum"):
        search(bench)


def test_the_search_stops_at_the_limits_of_the_motor() -> None:
    bench = PureBeamline()
    bench.theta.limits = (11.45, 11.65)
    angle_deg, _ = search(bench, centre_deg=11.53, span_deg=0.06, widest_deg=2.0)
    assert angle_deg == pytest.approx(BRAGG_DEG, abs=1e-4)
