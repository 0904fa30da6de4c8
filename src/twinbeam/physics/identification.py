"""How surely one photon can be told to be one of a pair (Eqs. 8 and 9)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twinbeam.physics.spectrum import fraction_density

__all__ = ["identification_probability", "measured_spectra", "pair_posterior"]


def pair_posterior(pair: ArrayLike, background: ArrayLike, beta: float) -> NDArray[np.float64]:
    """Probability that a photon of some measured value is one of a pair (Eq. 9).

    ``P = h / (h + β g)`` with the densities h of pair photons and g of background photons at that
    value, and β background photons for each pair photon. 0 where both densities vanish.
    """
    h = np.asarray(pair, dtype=np.float64)
    total = h + beta * np.asarray(background, dtype=np.float64)
    return np.divide(h, total, out=np.zeros_like(total), where=total > 0.0)


def identification_probability(
    values: ArrayLike, pair: ArrayLike, background: ArrayLike, beta: float
) -> float:
    """Mean posterior of true pair photons (Eq. 8): ``∫ h P dt``.

    Parameters
    ----------
    values
        Equidistant places at which the densities are given, in any unit.
    pair, background
        Densities at those places; they are normalised here. Measured histograms will do.
    beta
        Background photons for each pair photon.
    """
    x = np.asarray(values, dtype=np.float64)
    step = float(x[1] - x[0])
    h = np.asarray(pair, dtype=np.float64)
    g = np.asarray(background, dtype=np.float64)
    h, g = h / (h.sum() * step), g / (g.sum() * step)
    return float(np.sum(h * pair_posterior(h, g, beta)) * step)


def measured_spectra(
    sharpening: float = 1.0,
    *,
    pump_kev: float = 15.0,
    band_kev: tuple[float, float] = (5.0, 10.0),
    sigma_kev: float = 1.605,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The default model of measured energies: places in keV, pair density, background density.

    Pair photons share the pump energy by Eq. 2 within `band_kev`, the band that probes the sample;
    background photons have the pump energy. The response is Gaussian with a standard deviation of
    `sigma_kev` at half the pump energy that grows with the root of the energy, divided by
    `sharpening` (ζ). The default values give 0.04 for β = 10⁵, ζ = 1 and 0.95 for β = 10³, ζ = 2,
    as in Fig. 4 of Optica 13, 135 (2026).
    """
    energy = np.linspace(*band_kev, 401)
    weight = fraction_density(energy / pump_kev)
    weight = weight / weight.sum()
    reach = 8.0 * sigma_kev / sharpening
    x = np.linspace(band_kev[0] - reach, pump_kev + 1.5 * reach, 4001)

    def response(mean: ArrayLike) -> NDArray[np.float64]:
        centre = np.asarray(mean, dtype=np.float64)
        sigma = sigma_kev / sharpening * np.sqrt(2.0 * centre / pump_kev)
        density = np.exp(-0.5 * ((x[:, None] - centre) / sigma) ** 2)
        return density / (sigma * np.sqrt(2.0 * np.pi))

    return x, response(energy) @ weight, response([pump_kev])[:, 0]
