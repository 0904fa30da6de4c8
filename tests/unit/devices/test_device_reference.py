"""The page on devices names every group of process variables and every part of the detector."""

from __future__ import annotations

from pathlib import Path

from twinbeam.devices import TimePix3Detector
from twinbeam.devices.cam import TimePix3Cam

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "devices.md"
#: Parts of `cam` that are named together or only used within it.
TOGETHER = {"chip_labels", *(f"chip{number}" for number in range(1, 7))}


def test_the_page_on_devices_names_every_group_and_part() -> None:
    text = PAGE.read_text(encoding="utf-8")
    groups = set(TimePix3Cam._sub_devices) - TOGETHER
    parts = set(TimePix3Detector.component_names) - {"next_uri", "next_template"}
    assert [name for name in sorted(groups | parts) if f"`{name}`" not in text] == []
