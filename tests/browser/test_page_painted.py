"""What is painted is what was counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from page_data import update_of

from twinbeam.live import Showcase
from twinbeam.pipeline import Result
from twinbeam.view import rebin

# The colour of a place of a map in the canvas it is painted in.
PIXELS = """
([name, places]) => {
    const { all } = twinbeam.state();
    const view = Bokeh.index.find_one(all.plots[name]);
    const canvas = view.canvas_view.primary.canvas;
    const ratio = canvas.width / view.canvas_view.bbox.width;
    const context = canvas.getContext("2d");
    return places.map(([x, y]) => {
        const sx = view.frame.x_scale.compute(x), sy = view.frame.y_scale.compute(y);
        const { data } = context.getImageData(Math.round(sx * ratio), Math.round(sy * ratio), 1, 1);
        return Array.from(data).slice(0, 3);
    });
}
"""
COLOURS = """
(name) => {
    const { all } = twinbeam.state();
    const { low, high, palette } = all.mappers[name].linear;
    return { low, high, palette };
}
"""


def net(result: Result, name: str) -> NDArray[np.float32]:
    """A map as it should be: squares of 6 px without accidentals, counted here once more."""
    replicas = result.estimate.replicas
    image = result.arrays[name] - result.arrays[f"{name}_accidental"] / replicas
    return rebin(image, 6).astype(np.float32)


def _rgb(colour: Any) -> list[int]:
    if isinstance(colour, str):
        return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return [(int(colour) >> shift) & 255 for shift in (24, 16, 8)]


def check_arrays(seen: Any, result: Result) -> None:
    """The data sources of the page hold the arrays of a result."""
    for name in ("coincidence", "signal", "idler"):
        expected = net(result, name)
        painted = np.array(seen.column(f"{name}:image", "image"), dtype=np.float32)
        assert painted.tobytes() == expected.tobytes()
        assert expected.max() > 0
    assert seen.column("dt:prompt", "top") == result.arrays["dt"].tolist()
    floor = result.arrays["dt_accidental"] / result.estimate.replicas
    assert seen.column("dt:floor", "top") == floor.tolist()
    assert seen.column("dt:prompt", "left") == result.axes.dt_ns[:-1].tolist()
    assert seen.column("detuning:prompt", "top") == result.arrays["detuning"].tolist()
    assert f"{result.estimate.net:,.0f}" in seen.page.inner_text("#headline")


def check_pixels(seen: Any, result: Result, name: str) -> None:
    """The canvas has the colours of the counts, at the fullest and at the emptiest squares."""
    image = net(result, name)
    scale = seen.page.evaluate(COLOURS, name)
    order = np.argsort(image, axis=None)
    chosen = [np.unravel_index(at, image.shape) for at in (*order[-8:], *order[:8])]
    places = [[6.0 * column + 2.9, 6.0 * row + 2.9] for row, column in chosen]
    found = seen.page.evaluate(PIXELS, [name, places])
    palette = [_rgb(colour) for colour in scale["palette"]]
    span = scale["high"] - scale["low"]
    right = 0
    for (row, column), colour in zip(chosen, found, strict=True):
        share = (float(image[row, column]) - scale["low"]) / span
        at = min(max(int(share * len(palette)), 0), len(palette) - 1)
        near = palette[max(0, at - 1) : at + 2]
        right += any(np.abs(np.subtract(colour, one)).max() <= 2 for one in near)
    # the dotted ring may hide one or the other
    assert right >= len(chosen) - 2


def test_what_is_painted_is_the_newest_result(
    look: Callable[..., Any], showcase: Showcase, results: list[Result]
) -> None:
    seen = look()
    assert seen.painted().endswith("/2/2")
    check_arrays(seen, results[1])
    check_pixels(seen, results[1], "coincidence")
    showcase.update(update_of(results[2], 3), results[2])
    seen.wait_painted("/3/3")
    check_arrays(seen, results[2])
    seen.wait_text("#state", "measuring")
    showcase.update(update_of(results[-1], 4, final=True), results[-1])
    seen.wait_painted("/4/4")
    check_arrays(seen, results[-1])
    check_pixels(seen, results[-1], "coincidence")
    seen.wait_text("#state", "complete")
    ledger = seen.page.inner_text("#ledger").split()
    assert ledger[0] == "bytes"
    assert "accidentals" in ledger


def test_each_viewer_looks_in_their_own_way(
    look: Callable[..., Any], results: list[Result]
) -> None:
    seen, other = look(), look()
    assert seen.painted() == other.painted()
    arrays, replicas = results[1].arrays, results[1].estimate.replicas
    seen.page.click("button[data-kind=raw]")
    raw = rebin(arrays["idler"], 6)
    seen.wait_for(
        "n => Array.from(twinbeam.state().all.sources['idler:image'].data.image[0])"
        ".reduce((a, b) => a + b, 0) === n",
        int(raw.sum()),
    )
    assert seen.column("idler:image", "image") == raw.ravel().tolist()
    seen.page.click("button[data-kind=sharpened]")
    seen.page.select_option("#cell", "12")
    seen.wait_for("() => twinbeam.state().page.frame.maps.cell_px === 12")
    seen.wait_for("() => document.getElementById('caption-idler').textContent.includes('sharp')")
    sharp = arrays["idler_sharpened"] - arrays["idler_sharpened_accidental"] / replicas
    expected = rebin(sharp, 12).astype(np.float32).ravel().tolist()
    assert seen.column("idler:image", "image") == expected

    seen.page.select_option("#palette", "cividis")
    seen.page.fill("#high", "7")
    seen.page.press("#high", "Enter")
    seen.page.click("button[data-scale=log]")
    bar = "() => twinbeam.state().all.bars.signal.color_mapper.type"
    seen.wait_for("() => twinbeam.state().all.mappers.signal.log.high === 7")
    seen.wait_for(f"() => ({bar})() === 'LogColorMapper'")
    theme = "() => document.documentElement.dataset.theme"
    before = seen.page.evaluate(theme)
    seen.page.click("#theme")
    after = seen.page.evaluate(theme)
    assert {before, after} == {"light", "dark"}
    assert other.page.evaluate(bar) == "LinearColorMapper"
    assert other.page.evaluate(theme) == before
    assert other.page.evaluate("() => twinbeam.state().page.frame.maps.cell_px") == 6


def test_reload_and_late_joiners_see_the_same_version(
    look: Callable[..., Any], showcase: Showcase, results: list[Result]
) -> None:
    first = look()
    first.page.select_option("#palette", "cividis")
    showcase.update(update_of(results[2], 3), results[2])
    first.wait_painted("/3/3")
    late = look()
    assert late.painted() == first.painted()
    assert late.column("dt:prompt", "top") == first.column("dt:prompt", "top")
    assert "token" not in first.page.url  # it is kept in a cookie that scripts cannot read
    first.page.reload()
    first.page.wait_for_selector("#page[data-painted]")
    assert first.painted() == late.painted()
    assert first.page.input_value("#palette") == "cividis"
    showcase.update(update_of(results[-1], 4, final=True), results[-1])
    for seen in (first, late):
        seen.wait_painted("/4/4")
        assert seen.column("dt:prompt", "top") == results[-1].arrays["dt"].tolist()
