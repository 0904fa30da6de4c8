"""A region drawn on a map drives the spectra."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from twinbeam.pipeline import Result

# Where a place on the detector is on the screen.
ON_SCREEN = """
([name, x, y]) => {
    const { all } = twinbeam.state();
    const view = Bokeh.index.find_one(all.plots[name]);
    const box = view.canvas_view.el.getBoundingClientRect();
    return [box.x + view.frame.x_scale.compute(x), box.y + view.frame.y_scale.compute(y)];
}
"""


def _downloaded(seen: Any, panel: str) -> str:
    """The table of a panel, as the link of the page gives it."""
    with seen.page.expect_download() as waiting:
        seen.page.eval_on_selector(f"[data-csv={panel}]", "link => link.click()")
    return str(Path(waiting.value.path()).read_text())


def test_a_region_drawn_on_a_map_shows_its_photons_and_their_twins(
    look: Callable[..., Any], results: list[Result]
) -> None:
    seen = look()
    x0, y0 = seen.page.evaluate(ON_SCREEN, ["coincidence", 110.0, 320.0])
    x1, y1 = seen.page.evaluate(ON_SCREEN, ["coincidence", 210.0, 430.0])
    seen.page.mouse.move(x0, y0)
    seen.page.mouse.down()
    seen.page.mouse.move(0.5 * (x0 + x1), 0.5 * (y0 + y1))
    seen.page.mouse.move(x1, y1)
    seen.page.mouse.up()
    seen.wait_for("() => twinbeam.state().page.frame.region != null")
    seen.wait_for("() => twinbeam.state().all.marks.coincidence.visible")
    left, right, bottom, top = seen.page.evaluate("() => twinbeam.state().page.frame.region")
    assert abs(left - 110) < 5
    assert abs(right - 210) < 5
    assert abs(bottom - 320) < 5
    assert abs(top - 430) < 5

    pairs, replicas = results[1].pairs, results[1].estimate.replicas
    edges = np.arange(16.0)  # 1 keV wide, up to the pump energy
    expected = {"one": np.zeros(15), "two": np.zeros(15)}
    n_inside = 0
    for x, y, own, twin in (
        (pairs.x1, pairs.y1, pairs.e1, pairs.e2),
        (pairs.x2, pairs.y2, pairs.e2, pairs.e1),
    ):
        inside = (left <= x) & (x <= right) & (bottom <= y) & (y <= top)
        n_inside += int(np.count_nonzero(inside))
        for sign, group in ((1.0, pairs.replica == 0), (-1.0 / replicas, pairs.replica != 0)):
            for name, energy in (("one", own), ("two", twin)):
                expected[name] += sign * np.histogram(energy[inside & group], edges)[0]
    assert n_inside > 20
    assert n_inside < len(pairs) / 2
    for name, counts in expected.items():
        np.testing.assert_allclose(seen.column(f"energy:{name}", "top"), counts, atol=1e-9)
    assert seen.column("energy:one", "left") == edges[:-1].tolist()
    assert "twins" in seen.page.inner_text("#key-energy-idler")

    download = _downloaded(seen, "energy")
    rows = list(csv.reader(download.splitlines()[1:]))
    assert rows[0] == ["series", "from_keV", "to_keV", "value"]
    table = [float(row[3]) for row in rows if row[0] == "one"]
    assert table == seen.column("energy:one", "top")

    seen.page.click("#clear")
    seen.wait_for("() => twinbeam.state().page.frame.region == null")
    seen.wait_for("() => !twinbeam.state().all.marks.coincidence.visible")
    every = np.histogram(pairs.e1[pairs.replica == 0], edges)[0]
    every = every - np.histogram(pairs.e1[pairs.replica != 0], edges)[0] / replicas
    np.testing.assert_allclose(seen.column("energy:one", "top"), every, atol=1e-9)
