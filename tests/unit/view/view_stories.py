"""Documents of runs that scan, as they stand in JSON lines."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from twinbeam.store.documents import encode_line

Documents = list[tuple[str, dict[str, Any]]]

CENTRE_DEG, SIGMA_DEG = 11.5763, 0.0013


def rocking_documents(
    n: int, *, uid: str = "rock", time_s: float = 1.7e9, stop: bool = False, of: int = 41
) -> Documents:
    """A rocking curve of `of` points after `n` of them, with baseline and temperatures."""
    start = {
        "uid": uid,
        "time": time_s,
        "scan_id": 2,
        "plan_name": "rocking_curve",
        "detectors": ["monitor"],
        "motors": ["gonio_theta"],
        "hints": {"dimensions": [[["gonio_theta"], "primary"]]},
        "num_points": of,
        "sample": {"name": "diamond (111)"},
    }
    baseline = {
        "uid": f"{uid}-b",
        "run_start": uid,
        "name": "baseline",
        "data_keys": {"ring_current": {"dtype": "number", "units": "mA"}},
        "hints": {},
        "configuration": {
            "tpx3": {
                "data": {"tpx3_cam_chip0_temperature": 40, "tpx3_cam_chip1_temperature": 38},
                "data_keys": {
                    "tpx3_cam_chip0_temperature": {"units": "degC"},
                    "tpx3_cam_chip1_temperature": {"units": "degC"},
                },
            }
        },
    }
    primary = {
        "uid": f"{uid}-p",
        "run_start": uid,
        "name": "primary",
        "data_keys": {
            "monitor_intensity": {"dtype": "number", "units": "cps"},
            "gonio_theta": {"dtype": "number", "units": "deg"},
        },
        "hints": {
            "gonio_theta": {"fields": ["gonio_theta"]},
            "monitor": {"fields": ["monitor_intensity"]},
        },
        "configuration": {},
    }
    documents: Documents = [
        ("start", start),
        ("descriptor", baseline),
        ("event", {"descriptor": f"{uid}-b", "time": time_s, "data": {"ring_current": 398.25}}),
        ("descriptor", primary),
    ]
    for at in range(n):
        theta = CENTRE_DEG + 0.0004 * (at - of // 2)
        rate = 2e3 + 1e6 * math.exp(-0.5 * ((theta - CENTRE_DEG) / SIGMA_DEG) ** 2)
        data = {"monitor_intensity": rate, "gonio_theta": theta}
        event = {"descriptor": f"{uid}-p", "time": time_s + 0.1 * (at + 1), "data": data}
        documents.append(("event", event))
    if stop:
        end_s = time_s + 0.1 * (n + 1)
        documents.append(("stop", {"run_start": uid, "time": end_s, "exit_status": "success"}))
    return documents


def detuning_documents(uid: str = "table", time_s: float = 1.7e9) -> Documents:
    """The table at the end of a scan of the detuning."""
    keys = {
        "detuning_detuning_deg": {"dtype": "number"},
        "detuning_run": {"dtype": "string"},
        "detuning_seconds": {"dtype": "number"},
        "detuning_net": {"dtype": "number"},
        "detuning_net_err": {"dtype": "number"},
    }
    start = {
        "uid": uid,
        "time": time_s,
        "plan_name": "detuning_scan",
        "detectors": ["tpx3"],
        "motors": ["gonio_theta"],
        "hints": {"dimensions": [[["detuning_detuning_deg"], "detuning"]]},
    }
    descriptor = {
        "uid": f"{uid}-d",
        "run_start": uid,
        "name": "detuning",
        "data_keys": keys,
        "hints": {"detuning": {"fields": list(keys)}},
        "configuration": {},
    }
    rows = [(0.03, 20.0, 800.0, 40.0), (0.04, 10.0, 900.0, 30.0), (0.05, 20.0, math.nan, math.nan)]
    documents: Documents = [("start", start), ("descriptor", descriptor)]
    for detuning, seconds, net, error in rows:
        values = (detuning, "a run", seconds, net, error)
        data = dict(zip(keys, values, strict=True))
        documents.append(("event", {"descriptor": f"{uid}-d", "time": time_s, "data": data}))
    return documents


def write_lines(folder: Path, documents: Documents) -> Path:
    """The file of a run with these documents."""
    path = folder / f"{documents[0][1]['uid']}.jsonl"
    path.write_bytes(b"".join(encode_line(name, doc) for name, doc in documents))
    return path
