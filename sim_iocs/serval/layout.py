"""How the detector stands, as Serval tells it: eight orientations of the image and its chips."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sim_iocs.serval.values import Wrong
from twinbeam.tpx3 import CHIP_PIXELS, SENSOR_PIXELS

__all__ = ["ORIENTATIONS", "layout_json", "oriented", "rotated"]

ORIENTATIONS = ("UP", "RIGHT", "DOWN", "LEFT")
_MIRRORED = "_MIRRORED"
# corner in the image with the origin top left, and direction of the columns and rows
_CHIPS = ((256, 0, "LtRBtT"), (256, 256, "RtLTtB"), (0, 256, "RtLTtB"), (0, 0, "LtRBtT"))
_READ = ("LtRBtT", "TtBLtR", "RtLTtB", "BtTRtL")

_Pixels = TypeVar("_Pixels", bound=np.generic)


def rotated(orientation: str, query: dict[str, str]) -> str:
    """Orientation after a request with `reset`, `direction` and `flip`.

    Raises
    ------
    Wrong
        If a word is unknown.
    """
    quarter, mirrored = _parts(orientation)
    if query.get("reset", "false").lower() == "true":
        quarter, mirrored = 0, False
    if (direction := query.get("direction")) is not None:
        turns = {"right": 1, "left": 3, "half": 2, "180": 2}
        if direction not in turns:
            raise Wrong(f"direction '{direction}' is none of {', '.join(turns)}")
        quarter = (quarter + turns[direction]) % 4
    if (flip := query.get("flip")) is not None:
        if flip not in ("horizontal", "vertical"):
            raise Wrong(f"flip '{flip}' is none of horizontal, vertical")
        # mirrored top to bottom is mirrored left to right and turned by a half
        quarter = (-quarter + (2 if flip == "vertical" else 0)) % 4
        mirrored = not mirrored
    return ORIENTATIONS[quarter] + (_MIRRORED if mirrored else "")


def _parts(orientation: str) -> tuple[int, bool]:
    """Quarter turns to the right, and whether the image was mirrored left to right before."""
    return (
        ORIENTATIONS.index(orientation.removesuffix(_MIRRORED)),
        orientation.endswith(_MIRRORED),
    )


def oriented(pixels: NDArray[_Pixels], orientation: str) -> NDArray[_Pixels]:
    """The image as the detector stands."""
    quarter, mirrored = _parts(orientation)
    turned = pixels[:, ::-1] if mirrored else pixels
    return np.rot90(turned, -quarter)


def layout_json(orientation: str) -> dict[str, Any]:
    """The object of `GET /detector/layout`."""
    quarter, mirrored = _parts(orientation)
    original, turned = [], []
    for chip, (x, y, read) in enumerate(_CHIPS):
        original.append({"Chip": chip, "X": x, "Y": y, "Orientation": read})
        far = SENSOR_PIXELS - CHIP_PIXELS
        if mirrored:
            x = far - x
        for _ in range(quarter):
            x, y = far - y, x
        turned.append(
            {
                "Chip": chip,
                "X": x,
                "Y": y,
                "Orientation": _READ[(_READ.index(read) + quarter) % 4],
            }
        )
    size = {"Width": SENSOR_PIXELS, "Height": SENSOR_PIXELS}
    return {
        "DetectorOrientation": orientation,
        "Original": {**size, "Chips": original},
        "Rotated": {**size, "Chips": turned},
    }
