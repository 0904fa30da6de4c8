"""Share of pairs of which both photons land on the sensor."""

from __future__ import annotations

import numpy as np

from twinbeam.physics.spectrum import fraction_density
from twinbeam.physics.triangle import closure_defect, emission_angle_rad

__all__ = ["pair_acceptance"]


def pair_acceptance(
    detuning_deg: float,
    bragg_deg: float,
    distance_m: float,
    pixel_um: float,
    centre_px: tuple[float, float],
    size_px: float = 512.0,
    stop_half_px: float = 0.0,
) -> float:
    """Probability that both photons of a pair hit a square sensor outside a square beam stop.

    Midpoint rule over the energy fraction (Eq. 2) and the azimuth; pairs with a photon outside the
    sensor or behind the stop of half side `stop_half_px` around the centre do not count.
    """
    b = (np.arange(800) + 0.5) / 800
    phi = (np.arange(720) + 0.5) * (2.0 * np.pi / 720)
    defect = closure_defect(detuning_deg, bragg_deg)
    scale = distance_m / (pixel_um * 1e-6)
    accepted = np.ones((b.size, phi.size), dtype=bool)
    for fraction, sign in ((b, 1.0), (1.0 - b, -1.0)):
        angle = emission_angle_rad(fraction, defect)
        radius = np.where(np.isnan(angle), np.inf, scale * np.tan(angle))[:, None]
        dx, dy = sign * radius * np.cos(phi), sign * radius * np.sin(phi)
        x, y = centre_px[0] + dx, centre_px[1] + dy
        accepted &= (x >= 0.0) & (x < size_px) & (y >= 0.0) & (y < size_px)
        accepted &= np.maximum(np.abs(dx), np.abs(dy)) >= stop_half_px
    weight = fraction_density(b)
    return float(np.sum(weight * accepted.mean(axis=1)) / np.sum(weight))
