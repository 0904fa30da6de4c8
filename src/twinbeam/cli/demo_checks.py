"""What must be true at the end of the demo."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from twinbeam.pipeline import Result
from twinbeam.simulate import Truth, judge
from twinbeam.store import raw_detectors, raw_files

__all__ = ["checks", "truth_of"]

_TRUE_BRAGG_DEG = 11.576
_TRUE_FWHM_MDEG = 3.044


def truth_of(db: Any, uid: str, result: Result) -> dict[str, Any] | None:
    """Found pairs against the truth the simulated detector wrote beside its raw files.

    None when there is no such file.
    """
    detectors: tuple[str, ...] = ()
    for name, doc in db[uid].documents():
        if name == "descriptor":
            detectors = raw_detectors(doc) or detectors
        elif name == "event" and detectors and f"{detectors[0]}_raw_uri" in doc["data"]:
            folder = raw_files(doc["data"], detectors[0]).paths[0].parent
            prefix = doc["data"][f"{detectors[0]}_raw_template"].partition("{")[0]
            path = folder / f"{prefix}truth.parquet"
            if not path.exists():
                return None
            verdict = judge(result.pairs, Truth.read_parquet(path))
            return {
                "file": str(path),
                **asdict(verdict),
                "efficiency": verdict.efficiency,
                "purity": verdict.purity,
            }
    return None


def checks(report: dict[str, Any]) -> dict[str, bool]:
    """Named truths about a finished demo; all of them hold when it went well."""
    live, truth = report["live"], report["truth"]
    held = {
        "Bragg angle within 0.5 mdeg": abs(report["rocking"]["centre_deg"] - _TRUE_BRAGG_DEG)
        < 0.5e-3,
        "rocking FWHM within 10 %": abs(report["rocking"]["fwhm_mdeg"] / _TRUE_FWHM_MDEG - 1.0)
        < 0.10,
        "ledger closes at every stage": _closes(live["ledger"]),
        "replay is bit-identical": report["replay"]["identical"],
        "no problem was noted": not report["problems"],
    }
    if report["recorded_hits"] is not None:
        seen, recorded = live["hits"], report["recorded_hits"]
        # the file is played once; a run shorter than the recording sees the first part of it
        held["hits of the recording were seen, and no others"] = 0 < seen <= recorded
        if report["seconds_asked"] > report["recorded_span_s"] + 0.5:
            held["every recorded hit was seen"] = seen == recorded
        return held
    pairs, measured = live["pairs"], live["estimates"]["detuning_deg"]
    statistical = 1.4e-3 / math.sqrt(max(pairs["net"], 1.0))
    held["detuning from pairs as set"] = (
        measured is not None
        and abs(measured - report["detuning_set_deg"]) < 0.2e-3 + 4.0 * statistical
    )
    held["truth is known"] = truth is not None
    if truth is not None:
        held["more than 80 % of the detected pairs found"] = (truth["efficiency"] or 0.0) > 0.80
        spread = math.sqrt(1.0 + pairs["accidental"])
        held["net pairs agree with the truth"] = (
            abs(pairs["net"] - truth["matched"]) < 4.0 * spread + 0.02 * truth["matched"]
        )
    return held


def _closes(ledger: dict[str, dict[str, Any]]) -> bool:
    return all(
        stage["in"]
        == stage["used"] + sum(stage["rejected"].values()) + stage["dropped"] + stage["held"]
        and stage["held"] == 0
        for stage in ledger.values()
    )
