"""The startup files one by one, as a queue server executes them: no IPython, no terminal, no Qt."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

STARTUP = Path(__file__).parents[3] / "profile_collection" / "startup"

_EXECUTE = """
import json, sys
from pathlib import Path

ns = {"__name__": "__main__"}
exec(sys.argv[2], ns)
told = {}
for path in sorted(Path(sys.argv[1]).glob("*.py")):
    before = set(ns)
    exec(compile(path.read_text(), str(path), "exec"), ns)
    told[path.name] = sorted(set(ns) - before)
exec(sys.argv[3], ns)
print("TOLD", json.dumps({"files": told, **ns.get("answers", {})}))
"""

_NAMES = {
    "00-base.py": {"RE", "db", "catalog", "cat", "live", "bec", "peaks", "sd", "pbar_manager",
                   "session", "bp", "bps", "bpp", "mv", "mvr", "plt", "np"},
    "10-devices.py": {"beamline", "tpx", "gonio", "theta", "detuning", "shutter", "ring", "monitor",
                      "arm", "mono", "slits", "attenuators", "ion_chamber", "beam_stop", "sample"},
    "20-plans.py": {"find_bragg", "rocking_curve", "collect_pairs", "detuning_scan"},
    "90-results.py": {"Recipe", "summary", "replay", "draw_overview", "save_figures",
                      "help_twinbeam"},
    "99-ready.py": {"PROFILE_READY"},
}  # fmt: skip


def execute(beamline: Any, folder: Path, before: str = "", after: str = "") -> dict[str, Any]:
    """Execute all startup files in one namespace; what each brought, and `answers`."""
    ours = ("TWINBEAM_", "OPHYD_")
    env = {k: v for k, v in {**os.environ, **beamline.env}.items() if not k.startswith(ours)}
    done = subprocess.run(
        [sys.executable, "-c", _EXECUTE, str(STARTUP), before, after],
        env={**env, "TWINBEAM_CATALOG": str(folder / "catalog")},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("TOLD ")]
    told: dict[str, Any] = json.loads(line.removeprefix("TOLD "))
    return told


@pytest.mark.timeout(200)
def test_each_file_brings_its_names(beamline: Any, tmp_path: Path) -> None:
    before = """
from bluesky_queueserver.manager.profile_tools import set_re_worker_active
set_re_worker_active()
"""
    after = """
import inspect, sys
import ophyd
import twinbeam.plans
from bluesky_queueserver.manager.profile_ops import existing_plans_and_devices_from_nspace
from ophyd import Device
from twinbeam.profile import in_queue_worker
listed, instruments, *_ = existing_plans_and_devices_from_nspace(nspace=globals())
plans = {n for n in twinbeam.plans.__all__ if inspect.isgeneratorfunction(globals()[n])}
devices = {n for n, thing in globals().items() if isinstance(thing, Device)}
answers = {
    "worker": in_queue_worker(),
    "listed": sorted(listed),
    "instruments": sorted(instruments),
    "client": ophyd.get_cl().name,
    "shell": "IPython" in sys.modules and __import__("IPython").get_ipython() is not None,
    "qt": [m for m in sys.modules if m.split(".")[0] in ("PyQt5", "PyQt6", "PySide6", "qtpy")],
    "waiting_hook": str(RE.waiting_hook),
    "plans": sorted(plans),
    "both": sorted(set(twinbeam.plans.__all__) & devices),
    "returned": type(RE(bps.null())).__name__,
    "published": all(n in globals() for n in twinbeam.plans.__all__),
    "baseline": sorted(device.name for device in sd.baseline),
    "results": "results" in inspect.signature(detuning_scan).parameters,
    "detuning": detuning is gonio.detuning and theta is gonio.theta,
}
"""
    told = execute(beamline, tmp_path, before, after)
    assert set(told["files"]) == set(_NAMES), "a file that this test does not know"
    for file, names in _NAMES.items():
        assert names <= set(told["files"][file]), file
    assert told["worker"]
    assert set(told["plans"]) <= set(told["listed"]), "the queue server does not know a plan"
    assert _NAMES["10-devices.py"] - {"beamline"} <= set(told["instruments"])
    assert told["client"] == "caproto", "chosen before anything imports ophyd"
    assert not told["shell"]
    assert told["qt"] == []
    assert told["waiting_hook"] == "None", "no progress bars where there is no terminal"
    assert told["returned"] == "tuple", "the manager of a queue would import twinbeam to read it"
    assert told["published"]
    assert len(told["plans"]) > 10
    assert told["both"] == [], "a plan has the name of a device"
    assert told["results"] is False, "a queue server cannot give live results"
    assert told["detuning"]
    assert {"gonio", "arm", "ring", "beam_stop", "sample"} <= set(told["baseline"])


@pytest.mark.timeout(200)
def test_names_engine_and_site_of_a_beamline_are_used(beamline: Any, tmp_path: Path) -> None:
    site = tmp_path / "mine.yaml"
    site.write_text(
        f'name: mine\nprefix: "{beamline.prefixes.beamline}"\n'
        f'detector: {{prefix: "{beamline.prefixes.detector}", name: quad}}\n'
        "devices:\n"
        '  goniometer: {prefix: "ES{Gon-"}\n'
        '  shutter: {prefix: "OP{Sh:FS}"}\n'
        '  ring: {prefix: "SR-BI{DCCT:1}I:"}\n'
        '  monitor: {prefix: "BI{Mon:1}"}\n'
    )
    before = f"import os; os.environ['TWINBEAM_SITE'] = {str(site)!r}"
    before += """
from bluesky import RunEngine
from bluesky.callbacks.best_effort import BestEffortCallback
from bluesky.preprocessors import SupplementalData
site_engine = RE = RunEngine({"beamline_id": "site"})
site_bec = bec = BestEffortCallback(table_enabled=False)
bec.disable_plots()
RE.subscribe(bec)
site_db = db = object()
sd = SupplementalData()
RE.preprocessors.append(sd)
"""
    after = """
uids = RE(bp.count([monitor], num=2))
session.writer.join()
answers = {
    "engine": RE is site_engine and session.RE is site_engine,
    "kept": bec is site_bec and db is site_db,
    "preprocessors": len(RE.preprocessors),
    "stored": session.db[-1].start["uid"] == uids[0],
    "detector": tpx.name,
    "arm": "arm" in globals(),
    "beamline_id": session.db[-1].start["beamline_id"],
}
session.close()
answers["subscribers_left"] = len(RE(bp.count([monitor])))
"""
    told = execute(beamline, tmp_path, before, after)
    assert told["engine"]
    assert told["kept"]
    assert told["preprocessors"] == 1
    assert told["stored"]
    assert told["beamline_id"] == "site"
    assert told["detector"] == "quad"
    assert told["arm"] is False, "the site has none"
    assert told["subscribers_left"] == 1, "the site's engine goes on without the session"
