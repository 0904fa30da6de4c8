"""The sample as the simulated detector meets it: photons pass by chance, by their energy."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from sim_iocs.beamline.description import SampleDescription
from sim_iocs.beamline.masks import read_picture, sample_thickness_um
from twinbeam.errors import RecipeError

__all__ = ["SampleMask"]

# Energies in keV at which the absorption is looked up; the edges are nowhere between two of them
# for more than a step.
_ENERGIES_KEV = np.arange(2.0, 40.0, 0.005)


class SampleMask:
    """Transmission of the sample at places of the sensor.

    Parameters
    ----------
    sample
        Shape, matter and thickness.
    pixel_um
        Size of a pixel, by which places are given.

    Raises
    ------
    RecipeError
        If the picture cannot be read.
    """

    def __init__(self, sample: SampleDescription, pixel_um: float) -> None:
        self._sample = sample
        self._pixel_mm = 1e-3 * pixel_um
        self._picture = read_picture(sample.image) if sample.image is not None else None

    def look_up(self) -> None:
        """Read the absorption of the material, which takes most of a second for the first one.

        Raises
        ------
        RecipeError
            If the material is unknown.
        """
        _per_um(self._sample.material)

    def transmission(
        self, x_px: NDArray[np.float64], y_px: NDArray[np.float64], energy_kev: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Share of photons that pass: ``exp(-µ(E) t)``.

        Parameters
        ----------
        x_px, y_px
            Places from the middle of the sample in pixels; the signal half is y > 0.
        energy_kev
            Energies of the photons in keV.
        """
        made = np.ones(x_px.shape)
        above = np.flatnonzero(y_px > 0.0)  # all shapes are in the signal half
        x_mm, y_mm = self._pixel_mm * x_px[above], self._pixel_mm * y_px[above]
        thickness = sample_thickness_um(x_mm, y_mm, self._sample, self._picture)
        solid = thickness > 0.0
        in_matter = above[solid]
        per_um = np.interp(energy_kev[in_matter], _ENERGIES_KEV, _per_um(self._sample.material))
        made[in_matter] = np.exp(-per_um * thickness[solid])
        return made


@functools.lru_cache(maxsize=8)
def _per_um(material: str) -> NDArray[np.float64]:
    """Absorption coefficient in 1/µm by energy, from the tables of `xraydb` (Elam et al. 2002)."""
    import xraydb  # takes most of a second, so it is not imported with this module

    try:
        per_cm = xraydb.material_mu(material, 1e3 * _ENERGIES_KEV)
    except Exception as error:
        raise RecipeError(
            f"no absorption is known of '{material}': {error}",
            where="sample.material",
            hint="give a name or an element that xraydb knows, such as tungsten or Au",
        ) from error
    return 1e-4 * np.asarray(per_cm, dtype=np.float64)
