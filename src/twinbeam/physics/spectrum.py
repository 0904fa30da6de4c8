"""How a pump photon's energy is shared between the two photons of a pair (Eq. 2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["fraction_density", "fraction_quantile"]


def fraction_density(fraction: ArrayLike) -> NDArray[np.float64]:
    """Probability density of the signal's energy fraction: ``6 b (1 - b)``, i.e. Beta(2, 2)."""
    b = np.asarray(fraction, dtype=np.float64)
    return np.where((b >= 0.0) & (b <= 1.0), 6.0 * b * (1.0 - b), 0.0)


def fraction_quantile(probability: ArrayLike) -> NDArray[np.float64]:
    """Energy fraction below which a share of pairs lies.

    The closed-form root of ``3 b² - 2 b³ = p`` on [0, 1].
    """
    p = np.asarray(probability, dtype=np.float64)
    return 0.5 - np.sin(np.arcsin(np.clip(1.0 - 2.0 * p, -1.0, 1.0)) / 3.0)
