"""`twinbeam info` of whole, damaged and reset streams."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def test_info_of_a_file_with_a_reset_clock(twinbeam: Any, shared_data: Path) -> None:
    path = shared_data / "other/sophiread_tdc_gdc.tpx3"
    (report,) = json.loads(twinbeam("info", path, "--json").stdout)
    assert report["t0_resets"]["count"] == 1
    assert report["t0_resets"]["offsets"] == [1680]
    assert report["span_s"] == pytest.approx(219.9, abs=0.1)
    assert report["tdc"]["edges"]["1 rise"] == 13_290
    assert report["tdc"]["invalid"] == {"fine time 0": 1}
    text = twinbeam("info", path).stdout
    assert "1, at byte 1,680" in text
    assert "13,290 of input 1 rise" in text


def test_info_says_where_the_damage_is(
    twinbeam: Any, simulated: tuple[Path, Path, dict[str, int]], tmp_path: Path
) -> None:
    whole = simulated[0].read_bytes()
    end = 0
    while end < 80_000:
        end += 8 + int.from_bytes(whole[end + 6 : end + 8], "little")
    damaged = tmp_path / "damaged.tpx3"
    damaged.write_bytes(whole[:end] + b"\x00\x01\x02" + whole[end:])
    (report,) = json.loads(twinbeam("info", damaged, "--json").stdout)
    assert report["bad"]["resync"] == {"count": 1, "offsets": [end]}
    assert report["hits"] == simulated[2]["hits"]
    text = twinbeam("info", damaged).stdout
    assert f"1, at byte {end:,}" in text
