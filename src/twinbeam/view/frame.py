"""One picture of a result: everything a page draws, of one and the same version."""

from __future__ import annotations

from typing import Any

from twinbeam.view.charts import charts
from twinbeam.view.looking import Looking
from twinbeam.view.map_panels import map_panels
from twinbeam.view.scan_chart import scan_chart
from twinbeam.view.scan_words import scan_words
from twinbeam.view.shown import Shown
from twinbeam.view.shown_scan import ShownScan
from twinbeam.view.words import words

__all__ = ["frame"]


def frame(shown: Shown | ShownScan, looking: Looking) -> dict[str, Any]:
    """Plain values and arrays, as they are sent to a browser.

    Parameters
    ----------
    shown
        The result, or a run without one, of which there are no maps.
    looking
        How somebody wants to see it.
    """
    if isinstance(shown, ShownScan):
        return {
            "key": shown.key,
            "words": scan_words(shown),
            "maps": None,
            "charts": {"scan": scan_chart(shown)},
            "detuning_mdeg": None,
            "region": None,
        }
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
