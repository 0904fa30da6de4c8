"""Tables of runs: frames of long acquisitions in them, and no run that ends by a plot."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest
from event_model import compose_run, pack_event_page

from twinbeam.profile.run_tables import RunTables

KEY = {"dtype": "number", "shape": [], "source": "test"}


def frames(
    plan_args: dict[str, Any], n: int, plan: str = "collect_pairs", **more: Any
) -> list[tuple[str, Any]]:
    """Documents of a run with `n` frames, as a flyer's pages, after an event of conditions."""
    run = compose_run(metadata={"plan_name": plan, "plan_args": plan_args, **more})
    hints = {"tpx3": {"fields": ["rate"]}}
    documents: list[tuple[str, Any]] = [("start", run.start_doc)]
    for name, count in (("conditions", 1), ("primary", n)):
        stream = run.compose_descriptor(
            name=name, data_keys={"rate": KEY}, hints=hints, object_keys={"tpx3": ["rate"]}
        )
        documents.append(("descriptor", stream.descriptor_doc))
        for number in range(count):
            event = stream.compose_event(
                data={"rate": 1000.0 + number}, timestamps={"rate": time.time()}
            )
            documents.append(("event_page", pack_event_page(event)))
    documents.append(("stop", run.compose_stop()))
    return documents


def rows(tables: RunTables, documents: list[tuple[str, Any]], said: Any) -> list[str]:
    for name, document in documents:
        tables(name, document)
    return [line for line in said.readouterr().out.splitlines() if "| 1" in line.replace("  ", "")]


@pytest.fixture
def tables() -> RunTables:
    made = RunTables(row_s=3600.0)
    made.disable_plots()
    return made


def test_long_acquisitions_have_few_rows_and_scans_have_all(tables: RunTables, capsys: Any) -> None:
    (row,) = rows(tables, frames({"frame_s": 1.0}, 5), capsys)
    assert "1000" in row, "the first frame, although conditions came before it"
    assert len(rows(tables, frames({"num": 5}, 5), capsys)) == 5
    hints = {"dimensions": [(["time"], "primary")]}
    scan = frames({"frame_s": 1.0}, 5, "calibrate_tot", motors=["energy"], hints=hints)
    assert len(rows(tables, scan, capsys)) == 5, "exposures at the places of a scan are its points"
    tables.row_s = 0.0
    assert len(rows(tables, frames({"frame_s": 1.0}, 5), capsys)) == 5


def test_a_plan_that_says_its_points_itself_has_no_table(tables: RunTables, capsys: Any) -> None:
    """It does not switch off the tables of the runs that follow, either."""
    assert not rows(tables, frames({"num": 5}, 5, "mosaic_map"), capsys)
    assert len(rows(tables, frames({"num": 5}, 5), capsys)) == 5


def test_peaks_are_known_without_plots(tables: RunTables) -> None:
    hints = {"dimensions": [(["theta"], "primary")]}
    run = compose_run(metadata={"plan_name": "rocking_curve", "motors": ["theta"], "hints": hints})
    stream = run.compose_descriptor(
        name="primary",
        data_keys={"theta": KEY, "rate": KEY},
        hints={"monitor": {"fields": ["rate"]}, "theta": {"fields": ["theta"]}},
        object_keys={"theta": ["theta"], "monitor": ["rate"]},
    )
    tables("start", run.start_doc)
    tables("descriptor", stream.descriptor_doc)
    for step in range(-20, 21):
        data = {"theta": 11.5 + 1e-3 * step, "rate": math.exp(-0.5 * (step / 4.0) ** 2)}
        tables("event", stream.compose_event(data=data, timestamps=dict.fromkeys(data, 0.0)))
    tables("stop", run.compose_stop())
    assert tables.peaks["cen"]["rate"] == pytest.approx(11.5, abs=1e-6)
    assert tables.peaks["fwhm"]["rate"] == pytest.approx(2.355 * 4e-3, rel=0.05)


def test_an_error_in_it_does_not_end_the_run(
    tables: RunTables, capsys: Any, caplog: pytest.LogCaptureFixture
) -> None:
    documents = frames({"num": 3}, 3)
    broken = [(n, {**d, "hints": None} if n == "descriptor" else d) for n, d in documents]
    for name, document in broken:
        tables(name, document)
    assert "no tables and plots for the rest of this run" in caplog.text
    assert len(caplog.records) == 1
    capsys.readouterr()
    assert len(rows(tables, frames({"num": 3}, 3), capsys)) == 3, "the next run has them again"


def test_where_everything_stands_is_not_printed(tables: RunTables) -> None:
    assert "baseline" in tables.noplot_streams
    assert not tables._baseline_enabled
