"""Every panel fits where it stands, light and dark, on a wall and on a telephone.

The pictures are kept in the folder that TWINBEAM_SCREENSHOTS names.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from page_data import write_scan

# Texts that reach over the edge of their panel, and panels that reach over the edge of the page.
CUT_OFF = """
() => {
    const cut = [];
    for (const panel of document.querySelectorAll("#headline, .bar, .panel")) {
        if (panel.offsetParent === null) continue;
        const edge = panel.getBoundingClientRect();
        if (edge.right > innerWidth + 1) cut.push(`${panel.id} beyond the page`);
        const parts = "h2, .key, dt, dd, td, th, .rate, .fact, .legend, button, input, select";
        for (const part of panel.querySelectorAll(parts)) {
            if (part.offsetParent === null || part.closest(".take")) continue;
            const box = part.getBoundingClientRect();
            if (box.right > edge.right + 1 || box.left < edge.left - 1)
                cut.push(`${panel.id}: ${part.textContent}`);
        }
    }
    return cut;
}
"""
# Plots whose axes name no unit, or that have no height.
NAMELESS = """
() => Object.entries(twinbeam.state().all.plots).flatMap(([name, plot]) => {
    const view = Bokeh.index.find_one(plot);
    const panel = document.getElementById(`panel-${name}`);
    if (panel.offsetParent === null) return [];
    const { height, width } = view.frame.bbox;
    const wrong = height < 60 || width < 60 ? [`${name}: too small`] : [];
    if (!plot.below[0].axis_label || !plot.left[0].axis_label) wrong.push(`${name}: no label`);
    return wrong;
})
"""
SIZES = {"wall": (1920, 1080), "desk": (1280, 800), "narrow": (480, 900)}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_cut_off(
    look: Callable[..., Any], lines: Path, tmp_path: Path, theme: str
) -> None:
    folder = Path(os.environ.get("TWINBEAM_SCREENSHOTS") or tmp_path)
    seen = look(color_scheme=theme)
    assert seen.page.evaluate("() => document.documentElement.dataset.theme") == theme
    for what in ("pairs", "scan"):
        if what == "scan":
            write_scan(lines, 21, stop=True)
            seen.wait_for("() => document.getElementById('state').textContent === 'complete'")
        for size, (width, height) in SIZES.items():
            seen.page.set_viewport_size({"width": width, "height": height})
            seen.wait_for(
                "w => Math.abs(document.getElementById('page').clientWidth - w) < 20", width
            )
            seen.wait_for(f"() => ({NAMELESS})().length === 0")  # the plots have taken their place
            assert seen.page.evaluate(CUT_OFF) == []
            path = folder / f"{what}-{size}-{theme}.png"
            seen.page.screenshot(path=str(path), full_page=size == "narrow")
            assert path.stat().st_size > 20_000
