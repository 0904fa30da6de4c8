"""What the documents of a run tell: scans, conditions, and which run is shown."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from view_stories import (
    CENTRE_DEG,
    SIGMA_DEG,
    Documents,
    detuning_documents,
    rocking_documents,
    write_lines,
)

from twinbeam.errors import TwinbeamError
from twinbeam.live import Health, Showcase, Update
from twinbeam.pipeline import Pipeline, Recipe, summary
from twinbeam.store.documents import encode_line
from twinbeam.view import ShownScan
from twinbeam.view.curve import peak_of
from twinbeam.view.frame import frame
from twinbeam.view.health_rows import beamline_rows, disk_rows, health_rows
from twinbeam.view.looking import Looking
from twinbeam.view.scan_chart import scan_chart
from twinbeam.view.shown import shown_result
from twinbeam.view.sources import LiveSource
from twinbeam.view.stories import Disk, Stories
from twinbeam.view.story import Story, StoryTeller
from twinbeam.view.tables import panel_csv


def told(documents: Documents) -> Story:
    teller = StoryTeller(documents[0][1])
    for name, doc in documents[1:]:
        teller.take(name, doc)
    return teller.story


def test_a_rocking_curve_is_drawn_with_its_peak() -> None:
    shown = ShownScan("key", told(rocking_documents(41, stop=True)))
    chart = scan_chart(shown)
    assert chart["points"]["x"].size == 41
    peak = peak_of(shown.story.points)
    assert peak is not None
    assert peak.centre == pytest.approx(CENTRE_DEG, abs=1e-5)
    assert peak.fwhm == pytest.approx(2.3548 * SIGMA_DEG, rel=1e-2)
    assert chart["fit"]["y"].max() == pytest.approx(1.002e6, rel=1e-2)
    words = frame(shown, Looking())["words"]
    assert (words["state"], words["is_stored"]) == ("complete", True)
    assert words["scan"] == "Rocking curve"
    assert words["captions"]["scan"] == ["11.5763°", "FWHM 3.06 mdeg"]
    assert words["labels"] == ["gonio theta  [deg]", "monitor intensity  [counts/s]"]
    assert words["sample"] == "diamond (111)"
    assert words["began"].startswith("2023-11-1")
    assert words["name"] == "scan 2 · rocking_curve · rock"


def test_a_scan_that_goes_on_says_how_far_it_is() -> None:
    shown = ShownScan("key", told(rocking_documents(10, time_s=1.7e9)), live=True)
    words = frame(shown, Looking())["words"]
    assert words["state"] == "measuring"
    assert words["headline"][0] == ["points", "10", "of 41"]
    assert words["share"] == pytest.approx(10 / 41)
    assert words["left_s"] > 0.0
    assert words["captions"]["scan"][1] == "highest of 10 points"


@pytest.mark.parametrize("n", [0, 1, 8])
def test_few_points_make_no_peak(n: int) -> None:
    assert peak_of(told(rocking_documents(n)).points) is None


def test_noise_and_flat_lines_make_no_peak() -> None:
    rng = np.random.default_rng(3)
    noise = [(float(x), float(rng.poisson(100)), np.nan) for x in range(60)]
    assert peak_of(noise) is None
    assert peak_of([(1.0, 5.0, np.nan)] * 20) is None
    assert peak_of([(float(x), np.nan, np.nan) for x in range(20)]) is None


def test_the_table_of_a_detuning_scan_is_a_curve_of_pairs_per_second() -> None:
    shown = ShownScan("key", told(detuning_documents()))
    points = scan_chart(shown)["points"]
    assert points["x"].tolist() == pytest.approx([30.0, 40.0, 50.0])
    assert points["y"][:2].tolist() == [40.0, 90.0]
    assert np.isnan(points["y"][2])
    assert (points["high"] - points["y"])[:2].tolist() == [2.0, 3.0]
    head, *rows = list(csv.reader(panel_csv(shown, Looking(), "scan").splitlines()[1:]))
    assert head == ["detuning [mdeg]", "pairs per second", "error"]
    assert [float(value) for value in rows[1]] == pytest.approx([40.0, 90.0, 3.0])
    with pytest.raises(TwinbeamError, match="no photons"):
        panel_csv(shown, Looking(), "dt")


def test_conditions_are_told_or_said_not_to_be_recorded() -> None:
    rows = dict(beamline_rows(ShownScan("key", told(rocking_documents(3)))))
    assert rows["ring current"] == "398.2 mA"
    assert rows["chips"] == "38–40 °C"
    assert rows["monitor"].endswith(" /s")
    bare = rocking_documents(3)
    del bare[1:3]
    assert dict(beamline_rows(ShownScan("key", told(bare))))["temperatures"] == "not recorded"


def test_disks_that_fill_up_are_pointed_at() -> None:
    raw, other = Disk("raw data", int(40e9), int(1e12)), Disk("catalogue", int(1e9), int(2e12))
    assert disk_rows([raw, other]) == [
        ["disk, raw data", "40 GB of 1 TB", "warn"],
        ["disk, catalogue", "1 GB of 2 TB", "bad"],
    ]
    same = replace(raw, what="catalogue")
    assert disk_rows([raw, same]) == [["disk free", "40 GB of 1 TB", "warn"]]


def test_stories_follow_the_newest_run_line_by_line(tmp_path: Path) -> None:
    lines = tmp_path / "documents"
    stories = Stories(lines)
    stories.look()  # the folder is made with the first run
    assert stories.newest is None
    lines.mkdir()
    path = write_lines(lines, rocking_documents(5))
    stories.look()
    assert stories.newest is not None
    assert stories.newest.n_points == 5
    assert [disk.what for disk in stories.disks] == ["catalogue"]
    number = stories.number
    stories.look()
    assert stories.number == number
    sixth = encode_line(*rocking_documents(6)[-1])
    with path.open("ab") as file:
        file.write(sixth[:20])
        file.flush()
        stories.look()
        assert stories.newest.n_points == 5
        file.write(sixth[20:] + b"no document\n" + encode_line("event", {"descriptor": 3}))
    stories.look()
    assert stories.newest.n_points == 6
    assert stories.number > number
    derived = [("start", {"uid": "result", "time": 2e9, "raw_run": "rock"})]
    write_lines(lines, derived)
    (lines / "torn.jsonl").write_bytes(b'{"name": "sta')
    (lines / "other.jsonl").write_bytes(b"[1, 2]\n")
    stories.look()
    assert stories.newest.run == "rock"
    write_lines(lines, rocking_documents(1, uid="next", time_s=1.8e9))
    stories.look()
    assert stories.newest.run == "next"
    assert stories.of("rock") is not None


def _update(run: str, start: Mapping[str, Any], showcase: Showcase, version: int = 1) -> None:
    detuning = float(start.get("del_theta", 0.04))
    recipe = Recipe.from_mapping({"geometry": {"detuning_deg": detuning}}, where="test")
    result = replace(Pipeline(recipe).snapshot(), duration_s=10.0)
    health = Health(run=run, state="running", version=version)
    update = Update(run, result.recipe.hash, version, 1.0, 0.1, 0, summary(result), health)
    showcase.update(update, result)


def test_the_page_shows_whatever_began_last(tmp_path: Path) -> None:
    starts: dict[str, dict[str, Any]] = {"pairs": {"uid": "pairs", "time": 1.75e9}}
    showcase = Showcase(lambda run: starts[run], tmp_path)
    source = LiveSource(showcase)
    assert source.shown() is None
    assert source.number == 0
    write_lines(tmp_path, rocking_documents(4))
    source.look()
    shown = source.shown()
    assert isinstance(shown, ShownScan)
    assert shown is source.shown()
    _update("pairs", starts["pairs"], showcase)
    shown = source.shown()
    assert shown is not None
    assert not isinstance(shown, ShownScan)
    write_lines(tmp_path, rocking_documents(4, uid="later", time_s=1.8e9))
    source.look()
    assert isinstance(source.shown(), ShownScan)


def test_a_run_that_has_just_begun_does_not_push_the_last_one_away_at_once(
    tmp_path: Path,
) -> None:
    now_s = 100.0
    showcase = Showcase(lambda run: {"uid": run, "time": 1.75e9}, tmp_path)
    source = LiveSource(showcase, clock=lambda: now_s)
    _update("pairs", {}, showcase)
    source.look()
    before = source.shown()
    assert before is not None
    write_lines(tmp_path, rocking_documents(0, uid="later", time_s=1.8e9))
    source.look()
    assert source.shown() is before
    number = source.number
    now_s += 5.0
    source.look()
    assert source.number > number
    shown = source.shown()
    assert isinstance(shown, ShownScan)
    assert frame(shown, Looking())["words"]["waiting"] == "waiting for the first point"
    source.look()
    assert source.shown() is shown


def test_the_runs_of_a_detuning_scan_make_one_curve() -> None:
    detunings = {"a": 0.03, "b": 0.04, "c": 0.05, "other": 0.04}
    starts = {
        run: {"uid": run, "del_theta": detuning, "scan_group": "other" if run == "other" else "g"}
        for run, detuning in detunings.items()
    }
    showcase = Showcase(lambda run: starts[run])
    for run, start in starts.items():
        if run != "other":
            _update(run, start, showcase, 1)
            _update(run, start, showcase, 2)
    shown = LiveSource(showcase).shown()
    assert shown is not None
    made = frame(shown, Looking())
    assert made["charts"]["scan"]["points"]["x"].tolist() == pytest.approx([30.0, 40.0, 50.0])
    assert made["words"]["scan"] == "Detuning scan"
    _update("other", starts["other"], showcase)
    shown = LiveSource(showcase).shown()
    assert shown is not None
    assert frame(shown, Looking())["charts"]["scan"] == {}


def test_bytes_a_stream_dropped_are_told() -> None:
    shown = shown_result(Pipeline(Recipe()).snapshot(), "made")
    assert "stream drops" not in [row[0] for row in health_rows(shown)]
    health = Health(source="stream", stream_bytes=10, stream_dropped_bytes=2000, stream_gaps=1)
    rows = health_rows(replace(shown, health=health))
    assert ["stream drops", "2 kB, 1 gap", "warn"] in rows
