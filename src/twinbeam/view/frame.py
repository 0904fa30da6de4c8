"""One picture of a result: everything a page draws, of one and the same version."""

from __future__ import annotations

from typing import Any

from twinbeam.view.charts import charts
from twinbeam.view.looking import Looking
from twinbeam.view.map_panels import map_panels
from twinbeam.view.shown import Shown
from twinbeam.view.words import words

__all__ = ["frame"]


def frame(shown: Shown, looking: Looking) -> dict[str, Any]:
    """Plain values and arrays, as they are sent to a browser.

    Parameters
    ----------
    shown
        The result.
    looking
        How somebody wants to see it.
    """
    region = looking.region
    return {
        "key": shown.key,
        "words": words(shown),
        "maps": map_panels(shown.result, looking),
        "charts": charts(shown, looking),
        "detuning_mdeg": shown.result.recipe.geometry.detuning_deg * 1e3,
        "region": None
        if region is None
        else [region.left, region.right, region.bottom, region.top],
    }
