"""What a page says in words and numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from twinbeam.view.health_rows import beamline_rows, health_rows
from twinbeam.view.map_panels import ring_circle
from twinbeam.view.readable import date, finite, metric
from twinbeam.view.scan_words import sample_of, scan_caption, scan_labels, scan_title
from twinbeam.view.shown import Shown

__all__ = ["words"]

_FEW = 25  # counts from which a ratio to them is worth a number
_STATES = {"complete": "complete", "stored": "stored", "running": "measuring"}


def words(shown: Shown) -> dict[str, Any]:
    """Header, headline numbers, ledger and health as text, in the order they are shown."""
    numbers = shown.numbers
    seconds = float(numbers["duration_s"])
    asked = shown.start.get("plan_args")
    wanted = asked.get("seconds") if isinstance(asked, Mapping) else None
    return {
        "name": shown.name,
        "state": _STATES.get(shown.state, shown.state),
        "began": date(shown.start.get("time")),
        "sample": sample_of(shown.start),
        "seconds": seconds,
        "wanted_s": float(wanted) if isinstance(wanted, int | float) else None,
        "left_s": None,
        "share": None,
        "recipe": shown.result.recipe.hash,
        "version": shown.version,
        "bytes": int(numbers["bytes"]),
        "published_s": shown.time_s,
        "headline": _headline(shown),
        "captions": _captions(shown),
        "ledger": _ledger(shown),
        "scan": scan_title(shown),
        "labels": scan_labels(shown),
        "health": health_rows(shown),
        "beamline": beamline_rows(shown),
        "found": _found(shown),
        "chips": _chips(shown),
        "problems": list(shown.problems),
        "waiting": "",
    }


def _headline(shown: Shown) -> list[list[str]]:
    """Name, number and what stands behind it, of the numbers read from afar."""
    pairs, rates = shown.numbers["pairs"], shown.numbers["rates_hz"]
    ratio, lower = pairs["s_over_b"], pairs["s_over_b_lower"]
    net = pairs["net"]
    # from few counts the ratio itself would be a number by chance
    certain = ratio is not None and shown.result.estimate.n_replicas >= _FEW
    limit = f"> {metric(lower, '')}" if lower and lower > 0.0 else "–"
    return [
        ["photon pairs", finite(net), f"± {finite(pairs['net_err'])}"],
        ["accidentals", finite(pairs["accidental"], 1), f"± {finite(pairs['accidental_err'], 1)}"],
        [
            "true per accidental",
            metric(ratio, "") if certain else limit,
            "" if certain else "at 95 %",
        ],
        ["pair rate", finite(rates["pairs"], 2), "per s"],
        ["hit rate", metric(rates["hits"], ""), "per s"],
    ]


def _captions(shown: Shown) -> dict[str, list[str]]:
    """What is read off each chart, and what stands below it smaller."""
    found, n = shown.numbers["estimates"], shown.numbers["pairs"]
    captions = {name: ["", ""] for name in ("dt", "detuning", "ring", "energy", "rates", "g2")}
    if found["dt_sigma_ns"] is not None:
        more = ""
        if n["peak_over_floor"] is not None and n["floor_counts"] >= _FEW:
            more = f"peak/floor {metric(n['peak_over_floor'], '')}"
        elif n["peak_over_floor_lower"]:
            more = f"peak/floor > {metric(n['peak_over_floor_lower'], '')}"
        captions["dt"] = [f"σ {finite(found['dt_sigma_ns'], 1)} ns", more]
    if found["detuning_deg"] is not None:
        error = found["detuning_err_deg"] or math.nan
        captions["detuning"] = [
            f"{finite(found['detuning_deg'] * 1e3, 2)} mdeg",
            f"± {finite(error * 1e3, 2)} mdeg",
        ]
    captions["scan"] = scan_caption(shown)
    captions["ring"] = [f"{finite(ring_circle(shown.result)[2], 1)} px", "predicted"]
    return captions


def _ledger(shown: Shown) -> list[dict[str, Any]]:
    """The account of every stage: what came in is used, rejected, dropped or held."""
    rows = []
    for name, stage in shown.result.ledger.stages.items():
        reasons = {reason: n for reason, n in stage.rejected.items() if n}
        rows.append(
            {
                "stage": name,
                "in": stage.taken,
                "used": stage.used,
                "rejected": sum(reasons.values()),
                "dropped": stage.dropped,
                "held": stage.held,
                "closes": stage.difference == 0,
                "reasons": ", ".join(f"{reason} {n:,}" for reason, n in reasons.items()),
            }
        )
    return rows


def _found(shown: Shown) -> list[list[str]]:
    """Estimates with their errors and units."""
    found = shown.numbers["estimates"]

    def with_error(name: str, error: str, digits: int, unit: str, times: float = 1.0) -> str:
        if found[name] is None:
            return "–"
        text = finite(found[name] * times, digits)
        if error and found[error] is not None:
            text += f" ± {finite(found[error] * times, digits)}"
        return f"{text} {unit}"

    centre = found["centre_px"]
    at = "–" if centre is None else f"{finite(centre[0], 1)}, {finite(centre[1], 1)} px"
    beta = found["background_per_pair_photon"]
    return [
        ["Δt", with_error("dt_ns", "dt_err_ns", 2, "ns")],
        ["σ of Δt", with_error("dt_sigma_ns", "dt_sigma_err_ns", 2, "ns")],
        ["detuning, Eq. 1", with_error("detuning_deg", "detuning_err_deg", 2, "mdeg", 1e3)],
        [
            "detuning, exact",
            with_error("detuning_exact_deg", "detuning_exact_err_deg", 2, "mdeg", 1e3),
        ],
        ["σ of detuning", with_error("detuning_sigma_deg", "", 2, "mdeg", 1e3)],
        ["axis", at],
        ["background per twin", "–" if beta is None else metric(beta, "")],
    ]


def _chips(shown: Shown) -> list[list[Any]]:
    """Share and rate of the hits of each chip, where they are known."""
    hits, seconds = shown.result.census.hits_by_chip, shown.result.duration_s
    total = sum(hits)
    if not total:
        return []
    return [
        [f"chip {chip}", n / max(hits), metric(n / seconds, "/s") if seconds > 0.0 else "–"]
        for chip, n in enumerate(hits)
    ]
