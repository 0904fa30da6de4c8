"""What knowing of the partner is worth: heralding efficiency and sub-shot-noise transmission.

Section 6 and Eq. 7 of Optica 13, 135 (2026). One photon of each pair, the herald, says that its
partner was on its way to the sample; a transmission t is then measured against a known number of
photons instead of a Poisson one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "direct_variance",
    "heralded_transmission",
    "heralded_variance",
    "heralding_efficiency",
    "sub_shot_noise_gain",
]


def heralding_efficiency(
    pairs: float, heralds: float, false_heralds: float = 0.0
) -> tuple[float, float]:
    """Probability that a herald's partner is seen, and its standard error (Klyshko).

    ``η = N_pairs / (N_heralds - N_false)``; binomial error ``√(η (1 - η) / N)``.

    Parameters
    ----------
    pairs
        Coincidences without accidentals.
    heralds
        Photons that passed as heralds.
    false_heralds
        Those of them that are background.

    Raises
    ------
    ValueError
        Without a true herald.
    """
    true = heralds - false_heralds
    if true <= 0.0:
        raise ValueError("there is no true herald")
    efficiency = pairs / true
    spread = min(max(efficiency, 0.0), 1.0)
    return efficiency, float(np.sqrt(spread * (1.0 - spread) / true))


def heralded_transmission(pairs: float, heralds: float, efficiency: float) -> tuple[float, float]:
    """Transmission and its standard error from heralded counts (Eq. 7): ``t = N_pairs/(η N)``.

    The number of incident photons is ``η N``; the error is the root of `heralded_variance` with the
    transmission found.

    Raises
    ------
    ValueError
        Without heralds or efficiency.
    """
    if heralds <= 0.0 or efficiency <= 0.0:
        raise ValueError("there is no heralded photon")
    transmission = pairs / (efficiency * heralds)
    inside = min(max(transmission, 0.0), 1.0 / efficiency)
    return transmission, float(np.sqrt(heralded_variance(inside, efficiency, heralds)))


def direct_variance(
    transmission: ArrayLike, efficiency: ArrayLike, n_photons: ArrayLike
) -> NDArray[np.float64]:
    """Variance of a transmission measured with a Poisson number of photons: ``t / (η N)``.

    The shot-noise limit of Eq. 7 with N_measured ~ Poisson(t η N) and a known mean incident number.
    """
    t, eta = np.asarray(transmission, dtype=np.float64), np.asarray(efficiency, dtype=np.float64)
    return t / (eta * np.asarray(n_photons, dtype=np.float64))


def heralded_variance(
    transmission: ArrayLike, efficiency: ArrayLike, n_heralds: ArrayLike
) -> NDArray[np.float64]:
    """Variance of a transmission measured against N heralds: ``t (1 - η t) / (η N)``.

    N_measured ~ Binomial(N, η t).
    """
    product = np.asarray(transmission, dtype=np.float64) * np.asarray(efficiency)
    return direct_variance(transmission, efficiency, n_heralds) * (1.0 - product)


def sub_shot_noise_gain(transmission: ArrayLike, efficiency: ArrayLike) -> NDArray[np.float64]:
    """How many times smaller the heralded variance is: ``1 / (1 - η t)``, 1 without heralding."""
    product = np.asarray(transmission, dtype=np.float64) * np.asarray(efficiency)
    with np.errstate(divide="ignore"):
        return 1.0 / (1.0 - product)
