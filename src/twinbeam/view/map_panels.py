"""The maps of a page, as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbeam.images import net_array
from twinbeam.pairs import OPPOSITE
from twinbeam.physics import ring_radius_px
from twinbeam.pipeline import Result
from twinbeam.view.figures import rebin
from twinbeam.view.looking import Looking

__all__ = ["MAPS", "map_image", "map_panels", "ring_circle", "twin_views"]

#: Maps of a page, each with the name of its sharpened form.
MAPS = {
    "coincidence": "coincidence",
    "signal": "signal_symmetric",
    "idler": "idler_sharpened",
}


def cells(result: Result, looking: Looking) -> int:
    """Bins of the images that make a side of one square."""
    return max(1, round(looking.cell_px / result.axes.parameters.bin_px))


def map_image(result: Result, name: str, looking: Looking) -> tuple[NDArray[np.float32], str]:
    """A map in squares, indexed [y, x], and what to say of it besides its name."""
    array, about = name, ""
    if looking.kind == "sharpened":
        array = MAPS[name] if MAPS[name] in result.arrays else name
        about = ", sharpened" if array != name else ", as measured"
    values: NDArray[Any] = result.arrays[array]
    if looking.kind != "raw":
        values = net_array(result.arrays, array, result.estimate.replicas)[0]
    return rebin(values, cells(result, looking)).astype(np.float32), about


def ring_circle(result: Result) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """The predicted ring of photons of half the pump energy: x, y and radius in pixels."""
    g = result.recipe.geometry
    radius = float(ring_radius_px(g.detuning_deg, g.bragg_deg, g.distance_m, g.pixel_um))
    phi = np.linspace(0.0, 2.0 * np.pi, 181)
    cx, cy = g.centre_px
    return cx + radius * np.cos(phi), cy + radius * np.sin(phi), radius


def twin_views(result: Result) -> dict[str, list[float]]:
    """Parts of the detector each map shows: left, right, bottom, top in pixels."""
    pairing, (cx, cy) = result.recipe.pairing, result.recipe.geometry.centre_px
    first, last = -0.5, result.axes.side_px - 0.5
    whole = [first, last, first, last]
    if pairing.regions is not None:
        return dict.fromkeys(MAPS, whole)

    def part(region: str) -> list[float]:
        return [
            cx if "right" in region else first,
            cx if "left" in region else last,
            cy if "top" in region else first,
            cy if "bottom" in region else last,
        ]

    signal = pairing.signal_half
    return {"coincidence": whole, "signal": part(signal), "idler": part(OPPOSITE[signal])}


def map_panels(result: Result, looking: Looking) -> dict[str, Any]:
    """Everything the maps are drawn from."""
    size = cells(result, looking) * result.axes.parameters.bin_px
    x, y, _ = ring_circle(result)
    views = twin_views(result)
    panels: dict[str, Any] = {}
    for name in MAPS:
        image, about = map_image(result, name, looking)
        left, right, bottom, top = views[name]
        seen = image[
            max(0, int((bottom + 0.5) // size)) : int(-(-(top + 0.5) // size)),
            max(0, int((left + 0.5) // size)) : int(-(-(right + 0.5) // size)),
        ]
        filled = seen[seen > 0]
        panels[name] = {
            "image": image,
            "side": float(image.shape[0] * size),
            "about": about,
            "high": float(np.percentile(filled, 99.5)) if filled.size else 1.0,
            "largest": float(seen.max(initial=0.0)),
            "view": views[name],
        }
    return {
        "panels": panels,
        "cell_px": size,
        "ring": {"x": x, "y": y},
        "centre": list(result.recipe.geometry.centre_px),
    }
