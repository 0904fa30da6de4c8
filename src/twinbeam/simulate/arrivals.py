"""What comes to the sensor in one piece of time, in order of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from twinbeam.columns import Columns
from twinbeam.physics import (
    closure_defect,
    emission_angle_rad,
    fraction_quantile,
    silicon_efficiency,
)
from twinbeam.simulate._response_kernel import GAP_PX
from twinbeam.simulate.parameters import SimulationParameters
from twinbeam.simulate.photon_truth import PhotonKind
from twinbeam.simulate.sample import Mask, behind_stop, passes
from twinbeam.tpx3 import SENSOR_PIXELS

__all__ = ["SIDE_PX", "Arrivals", "inside", "pair_arrivals"]

SIDE_PX = SENSOR_PIXELS + GAP_PX  # of the sensor on the 514 grid


@dataclass(frozen=True, eq=False)
class Arrivals(Columns):
    """Photons at the sensor and hits of hot pixels.

    Attributes
    ----------
    t_ns
        Time since the shutter opened in ns.
    x, y
        Place on the 514 grid; of a hot pixel its place on the 512 grid.
    energy_kev
        Energy in keV; of a hot pixel its ToT in steps of 25 ns.
    kind
        `PhotonKind`, or `HOT`.
    converts
        Whether the silicon stops the photon.
    jitter
        Deviation of its time in units of the standard deviation.
    key
        Where its further random numbers come from.
    pair
        Row of its pair among the pairs of the same piece of time, or -1.
    """

    t_ns: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    energy_kev: NDArray[np.float64]
    kind: NDArray[np.uint8]
    converts: NDArray[np.bool_]
    jitter: NDArray[np.float64]
    key: NDArray[np.uint64]
    pair: NDArray[np.int64]

    DTYPES: ClassVar = {
        "t_ns": np.dtype(np.float64),
        "x": np.dtype(np.float64),
        "y": np.dtype(np.float64),
        "energy_kev": np.dtype(np.float64),
        "kind": np.dtype(np.uint8),
        "converts": np.dtype(np.bool_),
        "jitter": np.dtype(np.float64),
        "key": np.dtype(np.uint64),
        "pair": np.dtype(np.int64),
    }


def inside(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether a place on the 514 grid is on the sensor."""
    return (x >= -0.5) & (x < SIDE_PX - 0.5) & (y >= -0.5) & (y < SIDE_PX - 0.5)


def pair_arrivals(
    candidates: dict[str, NDArray[Any]],
    detuning_deg: float,
    p: SimulationParameters,
    mask: Mask | None = None,
) -> tuple[dict[str, NDArray[Any]], Arrivals, Arrivals]:
    """Pairs on the sensor area, and the signal and idler photons that come to the sensor."""
    t = candidates["t_ns"]
    detuning = detuning_deg + 1e-3 * p.detuning_spread_mdeg * candidates["spread"]
    fraction = fraction_quantile(candidates["fraction"])
    azimuth = np.pi * candidates["azimuth"]  # the signal flies into the upper half
    defect = closure_defect(detuning, p.bragg_deg)
    scale = p.distance_m / (p.pixel_um * 1e-6)
    r1 = scale * np.tan(emission_angle_rad(fraction, defect))
    r2 = scale * np.tan(emission_angle_rad(1.0 - fraction, defect))
    x1 = p.centre_px[0] + r1 * np.cos(azimuth)
    y1 = p.centre_px[1] + r1 * np.sin(azimuth)
    x2 = p.centre_px[0] - r2 * np.cos(azimuth)
    y2 = p.centre_px[1] - r2 * np.sin(azimuth)
    e1, e2 = fraction * p.pump_kev, (1.0 - fraction) * p.pump_kev
    on1, on2 = inside(x1, y1), inside(x2, y2)
    both = on1 & on2
    key1, key2 = candidates["key"]
    passed = passes(x1, y1, e1, key1, p, mask)
    passed2 = passes(x2, y2, e2, key2, p, mask)
    free1, free2 = ~behind_stop(x1, y1, p), ~behind_stop(x2, y2, p)
    number = np.where(both, np.cumsum(both) - 1, -1)
    photons = [
        Arrivals(
            t_ns=t[comes],
            x=x[comes],
            y=y[comes],
            energy_kev=energy[comes],
            kind=np.full(np.count_nonzero(comes), kind),
            converts=(candidates["depth"][side] < silicon_efficiency(energy, p.sensor_um))[comes],
            jitter=candidates["jitter"][side][comes],
            key=candidates["key"][side][comes],
            pair=number[comes],
        )
        for side, (kind, comes, x, y, energy) in enumerate(
            (
                (PhotonKind.SIGNAL, on1 & passed & free1, x1, y1, e1),
                (PhotonKind.IDLER, on2 & passed2 & free2, x2, y2, e2),
            )
        )
    ]
    columns = {
        "t_ns": t,
        "x1": x1,
        "y1": y1,
        "e1": e1,
        "x2": x2,
        "y2": y2,
        "e2": e2,
        "detuning_deg": detuning,
        "transmitted": passed,
    }
    return {name: column[both] for name, column in columns.items()}, photons[0], photons[1]
