"""What the start document of a run with pairs says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinbeam.plans._guards import plain

__all__ = ["pair_metadata"]


def pair_metadata(
    recipe: Mapping[str, Any] | None, bragg_deg: float, detuning_deg: float
) -> dict[str, Any]:
    """The recipe, and the keys that existing notebooks read.

    Those are `Epump` (photon energy, keV), `dd` (distance, cm), `theta` (Bragg angle, degrees),
    `del_theta` (detuning, degrees), `x_cen` and `y_cen` (centre of the ring, pixels of the 514
    grid). The recipe that is stored holds the angles given here, whatever it held before.

    Parameters
    ----------
    recipe
        Plain values of a recipe, or None.
    bragg_deg, detuning_deg
        Angles of the run, in degrees.

    Raises
    ------
    BeamlineError
        If the recipe has values that cannot be stored.
    """
    metadata: dict[str, Any] = {"theta": bragg_deg, "del_theta": detuning_deg}
    if recipe is None:
        return metadata
    stored = plain("collect_pairs", "recipe_md", recipe)
    geometry = stored.setdefault("geometry", {})
    geometry["bragg_deg"] = bragg_deg
    geometry["detuning_deg"] = detuning_deg
    metadata["recipe"] = stored
    if "energy_kev" in geometry:
        metadata["Epump"] = geometry["energy_kev"]
    if "distance_m" in geometry:
        metadata["dd"] = round(100.0 * geometry["distance_m"], 9)
    if "centre_px" in geometry:
        metadata["x_cen"], metadata["y_cen"] = geometry["centre_px"]
    return metadata
