"""The diamond: mosaic spread and misorientation, place by place, drawn for a seed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from pydantic import Field

from twinbeam.parameters import Parameters

__all__ = ["NOMINAL_MOSAIC_MDEG", "Crystal", "CrystalDescription"]

#: 3 mdeg without 0.75 (Darwin), 1.0 (bandpass) and 0.1 (divergence), in quadrature.
NOMINAL_MOSAIC_MDEG = 2.72534


class CrystalDescription(Parameters):
    """The down-conversion crystal and how it is mounted."""

    bragg_reading_deg: float = Field(
        11.576,
        gt=0.5,
        lt=89.0,
        description="Reading of theta in degrees on top of the rocking curve at the origin.",
    )
    energy_kev: float = Field(15.0, gt=1.0, le=100.0, description="Energy that reading is for.")
    lattice_angstrom: float = Field(3.56712, gt=1.0, le=10.0, description="Lattice constant in Å.")
    mosaic_mdeg: float = Field(
        NOMINAL_MOSAIC_MDEG, gt=0.0, le=100.0, description="Mosaic spread (FWHM) at the origin."
    )
    instrument_mdeg: float = Field(
        1.005, ge=0.0, le=100.0, description="Bandpass and divergence (FWHM) in mdeg."
    )
    mosaic_gain_mdeg: float = Field(
        1.2, ge=0.0, le=50.0, description="How much worse than the best place it becomes in mdeg."
    )
    good_size_mm: float = Field(0.8, gt=0.0, le=50.0, description="Size (σ) of the good area.")
    best_distance_mm: tuple[float, float] = Field(
        (0.25, 0.45), description="How far from the origin the best place may be in mm."
    )
    warp_mdeg: float = Field(
        0.5, ge=0.0, le=100.0, description="Size (rms) of the misorientation in mdeg."
    )
    half_side_mm: float = Field(3.0, gt=0.0, le=100.0, description="Half side of the plate in mm.")
    miscut_deg: float = Field(
        0.02, ge=0.0, le=10.0, description="Angle of surface and lattice planes, seen by phi."
    )
    drift_mdeg_h: float = Field(
        0.0, ge=-1000.0, le=1000.0, description="Drift of the goniometer in mdeg an hour."
    )


@dataclass(frozen=True)
class Crystal:
    """One diamond.

    Attributes
    ----------
    best_x_mm, best_y_mm
        Place with the least mosaic spread, where a rocking curve is about 3 mdeg wide (FWHM).
    waves
        Rows of amplitude in mdeg, wave vector x and y in 1/mm, and phase of the misorientation.
    """

    best_x_mm: float
    best_y_mm: float
    waves: tuple[tuple[float, float, float, float], ...]
    description: CrystalDescription

    @classmethod
    def grown(cls, description: CrystalDescription, seed: int) -> Self:
        """The crystal of a seed: where its best place is and how its planes are bent."""
        random = np.random.default_rng([seed, 2])
        distance, turn = random.uniform(*description.best_distance_mm), random.uniform(0.0, 1.0)
        waves = []
        for _ in range(4):
            wave, along, phase = random.uniform(0.8, 3.0), *random.uniform(0.0, 2.0 * np.pi, 2)
            amplitude = description.warp_mdeg * math.sqrt(2.0 / 4.0)
            waves.append((amplitude, wave * math.cos(along), wave * math.sin(along), float(phase)))
        return cls(
            best_x_mm=distance * math.cos(2.0 * math.pi * turn),
            best_y_mm=distance * math.sin(2.0 * math.pi * turn),
            waves=tuple(waves),
            description=description,
        )

    def _badness(self, x_mm: float, y_mm: float) -> float:
        square = (x_mm - self.best_x_mm) ** 2 + (y_mm - self.best_y_mm) ** 2
        return 1.0 - math.exp(-square / (2.0 * self.description.good_size_mm**2))

    def mosaic_mdeg(self, x_mm: float, y_mm: float) -> float:
        """Mosaic spread (FWHM), in millidegrees, where the beam hits; nominal at the origin."""
        change = self._badness(x_mm, y_mm) - self._badness(0.0, 0.0)
        mosaic = self.description.mosaic_mdeg + self.description.mosaic_gain_mdeg * change
        return max(mosaic, 0.01)

    def misorientation_mdeg(self, x_mm: float, y_mm: float) -> float:
        """How much the planes are turned where the beam hits, in mdeg; none at the origin."""
        return sum(
            amplitude * (math.sin(kx * x_mm + ky * y_mm + phase) - math.sin(phase))
            for amplitude, kx, ky, phase in self.waves
        )

    def hit_fraction(self, x_mm: float, y_mm: float, sigma_x_mm: float, sigma_y_mm: float) -> float:
        """Share of a Gaussian beam that hits the plate."""
        half, share = self.description.half_side_mm, 1.0
        for place, sigma in ((x_mm, sigma_x_mm), (y_mm, sigma_y_mm)):
            scale = math.sqrt(2.0) * sigma
            share *= 0.5 * (math.erf((half - place) / scale) + math.erf((half + place) / scale))
        return share
