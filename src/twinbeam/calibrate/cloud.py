"""The size of the charge cloud, from how many photons stay in one pixel."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from twinbeam.calibrate.charge_loss import single_share
from twinbeam.calibrate.clusters import ClusteredHits
from twinbeam.tpx3 import CHIP_PIXELS

__all__ = ["CLOUD_PRIOR", "cloud_from_shares", "count_singles"]

#: Radius in pixels and its error where the data do not tell it.
CLOUD_PRIOR = (0.18, 0.05)

_MODEL_SHARE = 0.01  # how well the model knows the share of single hits
_CLOUDS = np.arange(0.06, 0.4001, 0.01)
_LEAST_PX = 0.006


def count_singles(clustered: ClusteredHits) -> tuple[float, float]:
    """Single hits and clusters of an exposure, away from the wide pixels along the gap."""
    hits = clustered.hits
    x, y = hits.x.astype(np.float64), hits.y.astype(np.float64)
    away = np.minimum(np.abs(x - CHIP_PIXELS + 0.5), np.abs(y - CHIP_PIXELS + 0.5)) > 2.0
    first = clustered.label == np.arange(len(clustered))
    return (
        float(np.count_nonzero(away & (clustered.size == 1))),
        float(np.count_nonzero(away & first)),
    )


def cloud_from_shares(
    shares: Mapping[float, tuple[float, float]], threshold_kev: float
) -> tuple[float, float]:
    """Radius (σ) of the charge cloud in pixels and its error.

    The shape of the ToT peaks depends on the cloud too, but also on how pixels differ; the share of
    single hits does not.

    Parameters
    ----------
    shares
        Single hits and all photons, by energy in keV.
    threshold_kev
        Charge below which a pixel stays silent.
    """
    # the prior has a say, the more the fewer the photons are
    chi2 = ((_CLOUDS - CLOUD_PRIOR[0]) / CLOUD_PRIOR[1]) ** 2
    for energy, (singles, photons) in shares.items():
        if photons < 10.0 or not 0.0 < singles <= photons:
            continue
        share = singles / photons
        variance = max(share * (1.0 - share), 0.01) / photons + _MODEL_SHARE**2
        expected = [single_share(float(c), threshold_kev / energy) for c in _CLOUDS]
        chi2 += (np.array(expected) - share) ** 2 / variance
    best = int(np.clip(np.argmin(chi2), 1, chi2.size - 2))
    below, here, above = chi2[best - 1 : best + 2]
    bend = max(below - 2.0 * here + above, 1e-9)
    step = float(_CLOUDS[1] - _CLOUDS[0])
    place = float(_CLOUDS[best]) + step * float(np.clip(0.5 * (below - above) / bend, -1.0, 1.0))
    scatter = max(1.0, float(here) / max(len(shares), 1))
    return place, max(step * float(np.sqrt(2.0 * scatter / bend)), _LEAST_PX)
