"""The table of the first evening is the one the demo prints."""

from __future__ import annotations

from pathlib import Path

import pytest
from doc_pages import DOCS, blocks_of, says
from rich.console import Console

from twinbeam import Recipe, process
from twinbeam.cli import demo_report
from twinbeam.pipeline import summary
from twinbeam.simulate import simulate


def test_the_table_is_that_of_the_demo(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_report, "out", Console(width=200))
    simulate(tmp_path / "run_000000.tpx3", seconds=1.0)
    found = summary(process([tmp_path / "run_000000.tpx3"], Recipe()))
    scan = dict.fromkeys(("centre_deg", "centre_err_deg", "fwhm_mdeg", "fwhm_err_mdeg"), 3.04)
    truth = {"on_sensor": 200, "detected": 90, "efficiency": 0.97, "purity": 1.0}
    demo_report.present(
        {
            "bragg_deg": 11.576,
            "theta_start_deg": 11.526,
            "rocking": scan,
            "detuning_set_deg": 0.04,
            "live": found,
            "truth": truth,
            "recorded_hits": None,
            "replay": {"identical": True},
            "digest": "0123456789abcdef0",
            "run": "3f4a8174-0000",
            "catalog": "twinbeam-demo/catalog",
            "seconds": 75.0,
            "checks": {"replay is bit-identical": True},
            "problems": [],
            "figures": ["twinbeam-demo/figures/overview.png"],
        },
        as_json=False,
    )
    (shown,) = [
        block.text
        for block in blocks_of(DOCS / "tutorials" / "first-evening.md")
        if "output" in block.marks
    ]
    said = "\n".join(line for line in capsys.readouterr().out.splitlines() if "─" not in line)
    assert not says(said, shown)
