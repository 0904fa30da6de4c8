"""Photons → hits: conversion, charge sharing, threshold, ToT, timewalk, clock."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from twinbeam.physics import silicon_efficiency, timewalk_ns, tot_from_energy_ns
from twinbeam.simulate.parameters import SimulationParameters
from twinbeam.tpx3 import SENSOR_PIXELS, TICK_NS, TOT_STEP_NS

__all__ = ["GAP_PX", "Sensor"]

GAP_PX = 2  # the chips are two pixels apart; their border pixels are twice as wide
_SIDE = SENSOR_PIXELS + GAP_PX
# borders of the 512 pixels on the 514 grid, in units of pixels with pixel centres at whole numbers
_EDGES = np.concatenate((np.arange(256) - 0.5, [256.5], np.arange(258, 514) + 0.5))


class Sensor:
    """A silicon sensor on a Timepix3 quad with its fixed pattern of gains."""

    def __init__(self, parameters: SimulationParameters, rng: np.random.Generator) -> None:
        self._parameters = parameters
        self._rng = rng
        shape = (SENSOR_PIXELS, SENSOR_PIXELS)
        self._gain = 1.0 + parameters.gain_spread * rng.standard_normal(shape)

    def inside(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether a place on the 514 grid is on the sensor."""
        return (x >= -0.5) & (x < _SIDE - 0.5) & (y >= -0.5) & (y < _SIDE - 0.5)

    def converts(self, energy_kev: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Draw which photons are stopped in the silicon."""
        return self._rng.random(energy_kev.size) < silicon_efficiency(
            energy_kev, self._parameters.sensor_um
        )

    def respond(
        self,
        t_ns: NDArray[np.float64],
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        energy_kev: NDArray[np.float64],
    ) -> tuple[NDArray[np.int64], ...]:
        """Hits of photons stopped in the sensor.

        Returns
        -------
        tuple of arrays
            Photon index, time in ticks, x, y on the 512 grid, and ToT in ns of every hit.
        """
        p = self._parameters
        jittered = t_ns + p.jitter_ns * self._rng.standard_normal(t_ns.size)
        column = np.clip(np.searchsorted(_EDGES, x, side="right") - 1, 0, SENSOR_PIXELS - 1)
        row = np.clip(np.searchsorted(_EDGES, y, side="right") - 1, 0, SENSOR_PIXELS - 1)
        sigma = p.cloud_um / p.pixel_um
        share_x, share_y = self._shares(x, column, sigma), self._shares(y, row, sigma)
        parts = []
        for i in range(3):
            for j in range(3):
                charge = energy_kev * share_x[i] * share_y[j]
                px, py = column + i - 1, row + j - 1
                keep = (charge > 0.5 * p.threshold_kev) & (px >= 0) & (px < SENSOR_PIXELS)
                keep &= (py >= 0) & (py < SENSOR_PIXELS)
                index = np.flatnonzero(keep)
                parts.append((index, px[index], py[index], charge[index]))
        photon = np.concatenate([part[0] for part in parts])
        order = np.argsort(photon, kind="stable")
        photon = photon[order]
        px = np.concatenate([part[1] for part in parts])[order]
        py = np.concatenate([part[2] for part in parts])[order]
        charge = np.concatenate([part[3] for part in parts])[order]
        noise = p.resolution_kev * np.sqrt(charge / 7.5) * self._rng.standard_normal(charge.size)
        seen = charge * self._gain[py, px] + noise
        # a response describes counted ToT, so counting adds a spread and no shift
        steps = np.round(tot_from_energy_ns(seen, *p.tot_abct) / TOT_STEP_NS)
        tot = (steps * TOT_STEP_NS).astype(np.int64)
        above = (seen > p.threshold_kev) & (tot > 0)
        photon, px, py, tot = photon[above], px[above], py[above], tot[above]
        tot = np.minimum(tot, 1022 * TOT_STEP_NS)
        late = timewalk_ns(tot, p.timewalk_ns, p.timewalk_decay_per_ns)
        ticks = np.floor((jittered[photon] + late) / TICK_NS).astype(np.int64)
        return photon, np.maximum(ticks, 0), px, py, tot

    @staticmethod
    def _shares(
        place: NDArray[np.float64], pixel: NDArray[np.int64], sigma: float
    ) -> list[NDArray[np.float64]]:
        """Share of the charge in the pixel before, at and after `pixel` along one axis."""
        borders = []
        for offset in (-1, 0, 1, 2):
            edge = np.clip(pixel + offset, 0, SENSOR_PIXELS)
            borders.append(ndtr((_EDGES[edge] - place) / sigma))
        return [borders[i + 1] - borders[i] for i in range(3)]
