"""What a page says in words and numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from twinbeam.view.map_panels import ring_circle
from twinbeam.view.shown import Shown

__all__ = ["finite", "words"]

_FEW = 25  # counts from which a ratio to them is worth a number
_STATES = {"complete": "complete", "stored": "stored", "running": "measuring"}


def finite(value: float | None, digits: int = 0) -> str:
    """A number as text with separators; a dash when there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:,.{digits}f}"


def metric(value: float | None, unit: str) -> str:
    """A number with three digits and a prefix: 1.23 M."""
    if value is None or not math.isfinite(value):
        return "–"
    for limit, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{float(f'{value / limit:.3g}'):g} {prefix}{unit}".rstrip()
    return f"{float(f'{value:.3g}'):g} {unit}".rstrip()


def words(shown: Shown) -> dict[str, Any]:
    """Header, headline numbers, ledger and health as text, in the order they are shown."""
    numbers = shown.numbers
    seconds = float(numbers["duration_s"])
    asked = shown.start.get("plan_args")
    wanted = asked.get("seconds") if isinstance(asked, Mapping) else None
    return {
        "name": shown.name,
        "state": _STATES.get(shown.state, shown.state),
        "began": _when(shown.start.get("time")),
        "seconds": seconds,
        "wanted_s": float(wanted) if isinstance(wanted, int | float) else None,
        "recipe": shown.result.recipe.hash,
        "version": shown.version,
        "bytes": int(numbers["bytes"]),
        "published_s": shown.time_s,
        "headline": _headline(shown),
        "captions": _captions(shown),
        "ledger": _ledger(shown),
        "health": _health(shown),
        "found": _found(shown),
        "chips": _chips(shown),
        "problems": list(shown.problems),
    }


def _when(time_s: Any) -> str:
    if not isinstance(time_s, int | float):
        return ""
    return datetime.fromtimestamp(float(time_s)).strftime("%Y-%m-%d %H:%M:%S")


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


def _health(shown: Shown) -> list[list[str]]:
    """Name, value and mood (ok, warn, bad) of what can be unwell."""
    rows: list[list[str]] = []
    closes = shown.result.ledger.closes
    rows.append(["ledger", "closes" if closes else "does not close", "ok" if closes else "bad"])
    dropped = sum(stage.dropped for stage in shown.result.ledger.stages.values())
    rows.append(["dropped", finite(dropped), "ok" if not dropped else "warn"])
    if shown.lag_s is not None and shown.state == "running":
        mood = "ok" if shown.lag_s < 1.0 else "warn" if shown.lag_s < 10.0 else "bad"
        rows.append(["lag", f"{finite(shown.lag_s, 2)} s", mood])
        behind = shown.behind_bytes
        rows.append(["behind", metric(behind, "B"), "ok" if behind < 1e7 else "warn"])
    if shown.files is not None:
        named, read, failed = shown.files
        rows.append(["files read", f"{read:,} of {named:,}", "bad" if failed else "ok"])
    damage = shown.result.census.describe_damage()
    rows.append(["raw data", damage or "sound", "warn" if damage else "ok"])
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
