"""A calibration as a figure; matplotlib is loaded when one is drawn."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

# the module that draws a result, by the name of its class
_HOMES = {
    "CeilingCalibration": "pixels",
    "CentreCalibration": "centre",
    "ColumnCalibration": "columns",
    "DetuningCalibration": "detuning",
    "DistanceCalibration": "distance",
    "EnergyCalibration": "energy",
    "PairEnergyCalibration": "energy",
    "PixelCalibration": "pixels",
    "PixelEnergyCalibration": "pixel_energy",
    "WalkCalibration": "timewalk",
}


def draw(result: Any) -> Figure:
    """The figure of a calibration; save it with ``figure.savefig(path)``.

    Raises
    ------
    TypeError
        If the object is no calibration result.
    """
    home = _HOMES.get(type(result).__name__)
    if home is None:
        raise TypeError(f"{type(result).__name__} is no calibration that can be drawn")
    module = import_module(f"twinbeam.calibrate.figures.{home}")
    figure: Figure = module.draw(result)
    return figure
