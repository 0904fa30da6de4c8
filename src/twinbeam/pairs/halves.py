"""Photons of the two halves of the detector."""

from __future__ import annotations

import numpy as np

from twinbeam.pairs.parameters import Pairing
from twinbeam.photons import Photons
from twinbeam.physics import Geometry

__all__ = ["split_halves"]


def split_halves(
    photons: Photons, pairing: Pairing, geometry: Geometry
) -> tuple[Photons, Photons, dict[str, int]]:
    """Photons that are tried, as signal and idler half, and what was rejected by reason.

    The halves are split at the axis; a photon exactly on the line is in the upper or right half.
    """
    low, high = pairing.photon_kev
    below, above = photons.energy_kev < low, photons.energy_kev > high
    rejected = {
        "energy_low": int(np.count_nonzero(below)),
        "energy_high": int(np.count_nonzero(above)),
    }
    photons = photons[~(below | above)]
    along = photons.y if pairing.signal_half in ("top", "bottom") else photons.x
    axis = geometry.centre_px[1 if pairing.signal_half in ("top", "bottom") else 0]
    upper = along >= axis
    signal = upper if pairing.signal_half in ("top", "right") else ~upper
    return photons[signal], photons[~signal], rejected
