"""The numbers of a result as rows of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twinbeam.cli.console import contrast, number

if TYPE_CHECKING:
    from twinbeam.pipeline import Result

__all__ = ["summary_rows"]

_FEW = 25  # counts below which a ratio is said with its limit


def summary_rows(values: dict[str, Any], result: Result) -> list[tuple[str, str]]:
    """Rows for people.

    Parameters
    ----------
    values
        What `twinbeam.pipeline.summary` gives.
    result
        The result it was made of.
    """
    rates, estimates = values["rates_hz"], values["estimates"]
    rows = [
        ("bytes", number(values["bytes"])),
        ("hits", f"{number(values['hits'])}   {number(rates['hits'], 0, 'per s')}"),
        ("photons", f"{number(values['photons'])}   {number(rates['photons'], 0, 'per s')}"),
        ("duration", number(values["duration_s"], 3, "s")),
        *_pair_rows(values, result),
    ]
    if estimates["dt_ns"] is not None:
        centre = f"{estimates['dt_ns']:.2f} ± {number(estimates['dt_err_ns'], 2, 'ns')}"
        width = f"{estimates['dt_sigma_ns']:.2f} ± {number(estimates['dt_sigma_err_ns'], 2, 'ns')}"
        rows.append(("Δt, fitted", f"{centre}, σ {width}"))
    if estimates["detuning_deg"] is not None:
        error = number(estimates["detuning_err_deg"], 5)
        spread = number(estimates["detuning_sigma_deg"], 5)
        angle = f"{estimates['detuning_deg']:.5f} ± {error}°, σ {spread}°"
        rows.append(("detuning from pairs", angle))
    if estimates["centre_px"] is not None:
        x, y = estimates["centre_px"]
        rows.append(("centre from pairs", f"{x:.2f}, {y:.2f} px"))
    rows += [(f"ledger: {stage}", _account(a)) for stage, a in values["ledger"].items()]
    rows.append(("recipe", values["recipe_hash"]))
    return rows


def _pair_rows(values: dict[str, Any], result: Result) -> list[tuple[str, str]]:
    pairs, n_accidental = values["pairs"], result.estimate.n_replicas
    accidental = f"{number(pairs['accidental'], 2)} ± {number(pairs['accidental_err'], 2)}"
    if not n_accidental:
        accidental = f"0, below {number(pairs['accidental_upper'], 2)} at 95 %"
    ratio = number(pairs["s_over_b"], 1)
    if n_accidental < _FEW and pairs["net"] > 0:
        ratio = ratio if n_accidental else "no accidental seen"
        ratio += f", above {number(pairs['s_over_b_lower'], 1)} at 95 %"
    height = contrast(pairs)
    counted = _counted_height(result, values["estimates"]["dt_sigma_ns"])
    if counted is not None and pairs["peak_over_floor"] is not None and n_accidental >= _FEW:
        height += f" fitted, {float(f'{counted:.2g}'):,.0f} counted"
    return [
        ("pairs, prompt", number(pairs["prompt"])),
        ("accidentals", accidental),
        (
            "pairs, net",
            f"{number(pairs['net'], 1)} ± {number(pairs['net_err'], 1)}   "
            f"significance {number(pairs['significance'], 1)} σ",
        ),
        ("pair rate", number(values["rates_hz"]["pairs"], 3, "per s")),
        ("peak over floor", height),
        ("S/B", ratio),
    ]


def _counted_height(result: Result, sigma_ns: float | None) -> float | None:
    """Peak over floor from the counts inside the cut on Δt, without the fitted height."""
    for cut in result.recipe.selection.resolved(result.recipe.geometry).cuts:
        if cut.quantity == "dt_ns" and sigma_ns:
            half = 0.5 * (cut.high - cut.low)
            return result.estimate.peak_over_floor(half, sigma_ns) if half > 0.0 else None
    return None


def _account(account: dict[str, Any]) -> str:
    rejected = ", ".join(f"{n:,} {why}" for why, n in account["rejected"].items() if n)
    gone = account["used"] + sum(account["rejected"].values())
    closes = gone + account["dropped"] + account["held"] == account["in"]
    return (
        f"{account['in']:,} in = {account['used']:,} used"
        + (f" + rejected ({rejected})" if rejected else "")
        + (f" + {account['dropped']:,} dropped" if account["dropped"] else "")
        + (f" + {account['held']:,} held" if account["held"] else "")
        + f"   {'closes' if closes else 'OPEN'}"
    )
