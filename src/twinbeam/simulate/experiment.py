"""The experiment as a source of raw bytes with known truth; no EPICS."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbeam.errors import RecipeError
from twinbeam.physics import closure_defect, emission_angle_rad, fraction_quantile, pair_acceptance
from twinbeam.simulate.parameters import SimulationParameters
from twinbeam.simulate.readout import Readout
from twinbeam.simulate.sample import transmits
from twinbeam.simulate.sensor import GAP_PX, Sensor
from twinbeam.simulate.truth import Truth
from twinbeam.tpx3 import SENSOR_PIXELS, TICK_NS

__all__ = ["Experiment"]

_NOMINAL_DETUNING_DEG = 0.040
_SIDE = SENSOR_PIXELS + GAP_PX


class Experiment:
    """Photon pairs and background on a Timepix3, as the bytes the detector would send.

    The same parameters, seed and sequence of calls give the same bytes.
    """

    def __init__(self, parameters: SimulationParameters | None = None, seed: int = 0) -> None:
        self.parameters = parameters or SimulationParameters()
        self._rng = np.random.default_rng(seed)
        self._sensor = Sensor(self.parameters, self._rng)
        p = self.parameters
        acceptance = pair_acceptance(
            _NOMINAL_DETUNING_DEG, p.bragg_deg, p.distance_m, p.pixel_um, p.centre_px, float(_SIDE)
        )
        if p.pair_rate_hz and not acceptance:
            raise RecipeError(
                "no pair can reach the sensor with this distance and centre",
                where="simulation parameters",
                hint="give distance_m, centre_px or pair_rate_hz another value",
            )
        self._emission_hz = p.pair_rate_hz / acceptance if acceptance else 0.0
        self.start()

    def start(self) -> bytes:
        """Begin an acquisition: the clock at zero, the shutter opens."""
        self._now_ns = 0.0
        self._truth: list[Truth] = []
        self._readout = Readout(self.parameters.global_time_s)
        self.n_hits = 0
        return self._readout.open_shutter()

    def advance(
        self,
        duration_s: float,
        detuning_deg: float = _NOMINAL_DETUNING_DEG,
        flux: float = 1.0,
    ) -> bytes:
        """Bytes that leave the detector during the next slice of time.

        Parameters
        ----------
        duration_s
            Length of the slice in seconds.
        detuning_deg
            Angle of the crystal minus its Bragg angle during the slice.
        flux
            Intensity on the crystal as a share of the nominal one; 0 with the shutter closed.
        """
        start, stop = self._now_ns, self._now_ns + duration_s * 1e9
        pairs, photons = self._pairs(start, stop, detuning_deg, flux)
        background = self._background(start, stop, flux)
        t, x, y, energy = (np.concatenate(two) for two in zip(photons, background, strict=True))
        photon, ticks, px, py, tot = self._sensor.respond(t, x, y, energy)
        self._readout.add(ticks, px, py, tot)
        self.n_hits += int(ticks.size)
        self._truth.append(self._with_detection(pairs, np.unique(photon)))
        self._now_ns = stop
        return self._readout.until(int(stop / TICK_NS))

    def stop(self) -> bytes:
        """Bytes still held by the read-out, then the shutter closes."""
        now = int(self._now_ns / TICK_NS)
        return self._readout.rest(now) + self._readout.close_shutter(now)

    def truth(self) -> Truth:
        """Pairs on the sensor area since `start`."""
        truth = Truth.concatenate(self._truth)
        # a turn of the ring that lies across two slices mixes their pairs
        return truth[np.argsort(truth.t, kind="stable")]

    def _times_ns(self, n: int, start: float, stop: float) -> NDArray[np.float64]:
        """Times of photons in the bunch train."""
        p = self.parameters
        turn = np.floor(self._rng.uniform(start, stop, n) / p.turn_ns)
        bucket = self._rng.integers(0, min(p.filled_buckets, p.buckets), n)
        return (turn + bucket / p.buckets) * p.turn_ns

    def _pairs(
        self, start: float, stop: float, detuning_deg: float, flux: float
    ) -> tuple[dict[str, NDArray[Any]], tuple[NDArray[np.float64], ...]]:
        """Pairs on the sensor area and those of their photons that convert in it."""
        p, rng = self.parameters, self._rng
        n = rng.poisson(self._emission_hz * max(flux, 0.0) * (stop - start) * 1e-9)
        t = np.sort(self._times_ns(n, start, stop))
        detuning = detuning_deg + 1e-3 * p.detuning_spread_mdeg * rng.standard_normal(n)
        fraction = fraction_quantile(rng.random(n))
        azimuth = rng.uniform(0.0, np.pi, n)  # the signal flies into the upper half
        defect = closure_defect(detuning, p.bragg_deg)
        scale = p.distance_m / (p.pixel_um * 1e-6)
        r1 = scale * np.tan(emission_angle_rad(fraction, defect))
        r2 = scale * np.tan(emission_angle_rad(1.0 - fraction, defect))
        x1 = p.centre_px[0] + r1 * np.cos(azimuth)
        y1 = p.centre_px[1] + r1 * np.sin(azimuth)
        x2 = p.centre_px[0] - r2 * np.cos(azimuth)
        y2 = p.centre_px[1] - r2 * np.sin(azimuth)
        in1, in2 = self._sensor.inside(x1, y1), self._sensor.inside(x2, y2)
        e1, e2 = fraction * p.pump_kev, (1.0 - fraction) * p.pump_kev
        passed = transmits(x1, y1, p)
        seen1 = in1 & passed & self._sensor.converts(e1)
        seen2 = in2 & self._sensor.converts(e2)
        both = in1 & in2
        number = np.full((2, n), -1)
        number[0, seen1] = np.arange(np.count_nonzero(seen1))
        number[1, seen2] = np.count_nonzero(seen1) + np.arange(np.count_nonzero(seen2))
        pairs = {
            name: column[both]
            for name, column in {
                "t": t / TICK_NS,
                "x1": x1,
                "y1": y1,
                "e1": e1,
                "x2": x2,
                "y2": y2,
                "e2": e2,
                "detuning_deg": detuning,
                "transmitted": passed,
                "number1": number[0],
                "number2": number[1],
            }.items()
        }
        photons = tuple(
            np.concatenate((one[seen1], two[seen2]))
            for one, two in ((t, t), (x1, x2), (y1, y2), (e1, e2))
        )
        return pairs, photons

    def _background(
        self, start: float, stop: float, flux: float
    ) -> tuple[NDArray[np.float64], ...]:
        """Photons that convert in the sensor without a twin, all of the pump's energy."""
        p, rng = self.parameters, self._rng
        rate = p.background_rate_hz * max(flux, 0.0) + p.dark_rate_hz
        n = rng.poisson(rate * (stop - start) * 1e-9)
        x, y = rng.uniform(-0.5, _SIDE - 0.5, (2, n))
        dark = rng.random(n) * rate < p.dark_rate_hz
        scattered = ~dark & (rng.random(n) < p.scattered_fraction)
        spread = p.scattered_sigma_px * rng.standard_normal((2, n))
        x = np.where(scattered, p.centre_px[0] + spread[0], x)
        y = np.where(scattered, p.centre_px[1] + spread[1], y)
        keep = dark | (self._sensor.inside(x, y) & transmits(x, y, p))
        t = self._times_ns(n, start, stop)
        return t[keep], x[keep], y[keep], np.full(np.count_nonzero(keep), p.pump_kev)

    @staticmethod
    def _with_detection(pairs: dict[str, NDArray[Any]], seen: NDArray[np.int64]) -> Truth:
        """Truth rows; a pair is detected when both photons left a hit."""
        detected = np.isin(pairs.pop("number1"), seen) & np.isin(pairs.pop("number2"), seen)
        return Truth(**pairs, detected=detected)
