"""Scans, tabs that are not seen, and a service that is started anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from page_data import update_of, write_scan

from twinbeam.live import Showcase
from twinbeam.pipeline import Result
from twinbeam.view.page import PageServer, PageSettings
from twinbeam.view.sources import LiveSource

POINTS = "n => twinbeam.state().all.sources['scan:points'].data.x.length === n"
SEEN = """
(seen) => {
    Object.defineProperty(document, "hidden", { value: !seen, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}
"""


def test_a_scan_is_painted_point_by_point_while_it_runs(
    look: Callable[..., Any], lines: Path
) -> None:
    seen = look()
    assert seen.page.is_visible("#panel-coincidence")
    assert not seen.page.is_visible("#panel-scan")
    write_scan(lines, 4)
    seen.wait_for(POINTS, 4)
    seen.wait_text("#name", "rocking_curve")
    seen.wait_text("#state", "measuring")
    seen.page.wait_for_selector("#panel-scan", state="visible")
    assert not seen.page.is_visible("#panel-coincidence")
    points = write_scan(lines, 21, stop=True)
    seen.wait_for(POINTS, 21)
    assert list(
        zip(seen.column("scan:points", "x"), seen.column("scan:points", "y"), strict=True)
    ) == [pytest.approx(point) for point in points]
    seen.wait_for("() => document.getElementById('state').textContent === 'complete'")
    seen.wait_text("#caption-scan", "11.5100°")
    seen.wait_text("#about", "<b>graphite</b>")  # as it is named, never as markup
    label = "() => twinbeam.state().all.plots.scan.below[0].axis_label"
    assert seen.page.evaluate(label) == "theta  [deg]"


def test_a_tab_that_is_not_seen_waits_and_then_gets_the_newest(
    look: Callable[..., Any], showcase: Showcase, results: list[Result]
) -> None:
    seen, other = look(), look()
    seen.page.evaluate(SEEN, False)
    for version in range(3, 8):
        showcase.update(update_of(results[2], version), results[2])
        other.wait_painted(f"/{version}/{version}")
    assert seen.painted().endswith("/2/2")
    seen.page.evaluate(SEEN, True)
    seen.wait_painted("/7/7")
    # one frame for all that came meanwhile
    assert seen.page.evaluate("() => twinbeam.log.length") < 5
    assert seen.column("dt:prompt", "top") == other.column("dt:prompt", "top")


def test_the_page_comes_back_when_the_service_is_started_anew(
    chromium: Any, showcase: Showcase, results: list[Result]
) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(60_000)
    try:
        with PageServer(LiveSource(showcase), token="a secret") as first:
            page, port = context.new_page(), first.port
            page.goto(first.url)
            page.wait_for_selector("#page[data-painted$='/2/2']", timeout=60_000)
        page.wait_for_selector("#page.stale", timeout=60_000)
        page.wait_for_function(
            "() => document.getElementById('notice').innerText.includes('connection is lost')"
        )
        showcase.update(update_of(results[-1], 3, final=True), results[-1])
        settings = PageSettings(port=port)
        with PageServer(LiveSource(showcase), settings=settings, token="a secret"):
            page.wait_for_selector("#page[data-painted$='/3/3']", timeout=60_000)
            page.wait_for_selector("#notice", state="hidden")
            page.wait_for_selector("#page:not(.stale)")
            assert page.get_attribute("#page", "data-painted").endswith("/3/3")
            assert not page.is_visible("#notice")
    finally:
        context.close()
