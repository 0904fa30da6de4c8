"""The sample in the signal half: built-in shapes or a picture, with the transmission of matter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_iocs.beamline.description import SampleDescription
from sim_iocs.beamline.optics import foil_transmission
from twinbeam.errors import RecipeError
from twinbeam.simulate import SimulationParameters
from twinbeam.simulate.sample import transmits

__all__ = ["read_picture", "sample_thickness_um", "sample_transmission"]


def read_picture(path: str | Path) -> NDArray[np.float64]:
    """How much matter each pixel of a picture stands for: 1 where it is black, 0 where white.

    Raises
    ------
    RecipeError
        If the file cannot be read as a picture.
    """
    try:
        if Path(path).suffix == ".npy":
            picture = np.asarray(np.load(path, allow_pickle=False), dtype=np.float64)
        else:
            from matplotlib.image import imread

            picture = np.asarray(imread(path), dtype=np.float64)
            picture = picture / 255.0 if picture.max() > 1.0 else picture
    except (OSError, ValueError, SyntaxError) as error:
        raise RecipeError(f"no picture: {error}", where=str(path)) from error
    if picture.ndim == 3:
        picture = picture[..., :3].mean(axis=-1)
    if picture.ndim != 2:
        raise RecipeError(f"a picture has two dimensions, not {picture.ndim}", where=str(path))
    return 1.0 - np.clip(picture, 0.0, 1.0)


def sample_thickness_um(
    x_mm: ArrayLike,
    y_mm: ArrayLike,
    sample: SampleDescription,
    picture: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Thickness of matter at places of the sample plane, in µm.

    Parameters
    ----------
    x_mm, y_mm
        Places from the middle of the sample, as seen on the sensor. The signal half is y > 0;
        the spokes are those of `twinbeam.simulate`.
    sample
        Shape and thickness.
    picture
        What `read_picture` gave of its image, if that was read already.
    """
    x, y = np.broadcast_arrays(np.asarray(x_mm, np.float64), np.asarray(y_mm, np.float64))
    half = 0.5 * sample.width_mm
    if sample.shape == "none":
        filled = np.zeros(x.shape)
    elif sample.shape == "spokes":
        axis = SimulationParameters(centre_px=(0.0, 0.0))
        filled = (~transmits(x, y, axis)).astype(np.float64)
    elif sample.shape == "disc":
        filled = (np.hypot(x, y - half) < half).astype(np.float64)
    elif sample.shape == "edge":
        filled = ((x > 0.0) & (y > 0.0)).astype(np.float64)
    elif sample.shape == "slit":
        filled = ((np.abs(x) > half) & (y > 0.0)).astype(np.float64)
    else:
        assert sample.image is not None
        seen = read_picture(sample.image) if picture is None else picture
        filled = _picture_at(x, y, seen, sample.width_mm)
    return filled * sample.thickness_um


def _picture_at(
    x: NDArray[np.float64], y: NDArray[np.float64], picture: NDArray[np.float64], width_mm: float
) -> NDArray[np.float64]:
    """A picture standing on the axis, its first row on top; nothing beside it."""
    rows, columns = picture.shape
    scale = columns / width_mm
    column = np.floor(x * scale + 0.5 * columns).astype(np.int64)
    row = rows - 1 - np.floor(y * scale).astype(np.int64)
    inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    filled = np.zeros(x.shape)
    filled[inside] = picture[row[inside], column[inside]]
    return filled


def sample_transmission(
    x_mm: ArrayLike, y_mm: ArrayLike, energy_kev: float, sample: SampleDescription
) -> NDArray[np.float64]:
    """Share of photons of an energy that pass the sample at places of its plane: ``exp(-µ t)``."""
    per_um = -np.log(max(foil_transmission(sample.material, 1.0, energy_kev), 1e-300))
    transmitted: NDArray[np.float64] = np.exp(-per_um * sample_thickness_um(x_mm, y_mm, sample))
    return transmitted
