"""Identification probability (Eqs. 8 and 9) of measured spectra, and cuts on the posterior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twinbeam.physics.identification import pair_posterior

__all__ = ["IdentificationCut", "identification_cut", "identification_of_histograms"]


def _shares(
    pair_counts: ArrayLike, background_counts: ArrayLike, background_floor: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pair and background as shares per bin that add up to one each."""
    h = np.clip(np.asarray(pair_counts, dtype=np.float64), 0.0, None)
    g = np.clip(np.asarray(background_counts, dtype=np.float64), 0.0, None)
    if h.shape != g.shape or h.ndim != 1:
        raise ValueError(f"two histograms of equal bins are needed, not {h.shape} and {g.shape}")
    if h.sum() <= 0.0 or g.sum() <= 0.0:
        raise ValueError("a spectrum without counts identifies nothing")
    total = g.sum()
    return h / h.sum(), np.maximum(g, background_floor) / total


def identification_of_histograms(
    pair_counts: ArrayLike,
    background_counts: ArrayLike,
    beta: float,
    *,
    background_floor: float = 1.0,
) -> float:
    """Mean posterior of true pair photons from two measured spectra (Eq. 8).

    Parameters
    ----------
    pair_counts, background_counts
        Counts in the same bins, of photons of pairs (accidentals subtracted; negative bins count as
        none) and of background photons.
    beta
        The prior: background photons for each pair photon.
    background_floor
        Counts that a bin of the background holds at least. With β of 10⁵ the few counts of a tail
        decide: a bin that happens to be empty would identify every pair photon in it with
        certainty. 1 is a cautious choice, 0 takes the spectrum literally.

    Raises
    ------
    ValueError
        If the bins differ or a spectrum is empty.
    """
    h, g = _shares(pair_counts, background_counts, background_floor)
    return float(np.sum(h * pair_posterior(h, g, beta)))


@dataclass(frozen=True)
class IdentificationCut:
    """What remains if only photons with a posterior of at least some value are accepted.

    Attributes
    ----------
    efficiency
        Share of the pair photons that is accepted.
    rejection
        Share of the background photons that is not.
    purity
        Share of pair photons among the accepted photons; 0 if none is.
    accepted
        Mask of the accepted bins.
    """

    efficiency: float
    rejection: float
    purity: float
    accepted: NDArray[np.bool_]


def identification_cut(
    pair_counts: ArrayLike,
    background_counts: ArrayLike,
    beta: float,
    least: float = 0.5,
    *,
    background_floor: float = 1.0,
) -> IdentificationCut:
    """Accept the bins in which a photon is one of a pair with a posterior (Eq. 9) ≥ `least`.

    The mean posterior of Eq. 8 is no efficiency; this is the efficiency that belongs to a cut.

    Raises
    ------
    ValueError
        If the bins differ or a spectrum is empty.
    """
    h, g = _shares(pair_counts, background_counts, background_floor)
    accepted = pair_posterior(h, g, beta) >= least
    signal, background = float(h[accepted].sum()), float(g[accepted].sum())
    total = signal + beta * background
    return IdentificationCut(
        efficiency=signal,
        rejection=1.0 - min(background, 1.0),
        purity=signal / total if total > 0.0 else 0.0,
        accepted=accepted,
    )
