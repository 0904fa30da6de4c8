"""The table at the end of the demo."""

from __future__ import annotations

from typing import Any

from twinbeam.cli.console import contrast, number, out, plain, show_json, two_columns

__all__ = ["present"]


def present(report: dict[str, Any], *, as_json: bool) -> None:
    """Print the report for people, or as JSON."""
    if as_json:
        show_json(report)
        return
    out.print()
    out.print(two_columns("The experiment", _rows(report)))
    for name, held in report["checks"].items():
        out.print(f"  [green]✓[/] {name}" if held else f"  [bold red]✗ {name}[/]")
    for text in report["problems"]:
        out.print(f"  [red]{plain(text)}[/]")
    out.print(
        f"\nLook at it again:\n"
        f"  figures   {plain(report['figures'][-1])}\n"
        f"  browser   twinbeam view {report['run'][:8]} --catalog {plain(report['catalog'])}\n"
        f"  replay    twinbeam replay {report['run'][:8]} --catalog {plain(report['catalog'])}\n"
        f"  in Python from twinbeam.store import open_catalog; "
        f"open_catalog({plain(repr(report['catalog']))}).broker()[-1]",
        soft_wrap=True,
    )


def _rows(report: dict[str, Any]) -> list[tuple[str, str]]:
    live, rocking = report["live"], report["rocking"]
    pairs, measured = live["pairs"], live["estimates"]["detuning_deg"]
    spread = number(live["estimates"]["detuning_sigma_deg"], 5)
    rows = [
        ("Bragg angle found", f"{report['bragg_deg']:.5f}° from {report['theta_start_deg']:.4f}°"),
        (
            "rocking curve",
            f"centre {rocking['centre_deg']:.5f}°, "
            f"FWHM {rocking['fwhm_mdeg']:.3f} ± {rocking['fwhm_err_mdeg']:.3f} mdeg",
        ),
        ("detuning set", f"{report['detuning_set_deg']:.5f}°"),
        (
            "detuning from pairs",
            f"{measured:.5f}°, σ {spread}°" if measured is not None else "too few pairs",
        ),
        ("hits, photons", f"{live['hits']:,}, {live['photons']:,} in {live['duration_s']:.1f} s"),
        ("pairs found", f"{pairs['net']:,.1f} ± {pairs['net_err']:.1f} net"),
        ("accidentals", f"{pairs['accidental']:.2f} (mean of the whole-turn replicas)"),
        ("peak over floor", contrast(pairs)),
        ("Δt, σ", number(live["estimates"]["dt_sigma_ns"], 1, "ns")),
    ]
    truth = report["truth"]
    if truth is not None:
        rows += [
            (
                "pairs simulated",
                f"{truth['on_sensor']:,} on the sensor, {truth['detected']:,} left hits in both "
                "halves",
            ),
            ("efficiency", f"{100 * (truth['efficiency'] or 0.0):.2f} % of those"),
            ("purity", f"{100 * (truth['purity'] or 0.0):.2f} % of the found pairs are true"),
        ]
    if report["recorded_hits"] is not None:
        rows.append(("hits in the file", f"{report['recorded_hits']:,}"))
    same = report["replay"]
    verdict = (
        "bit-identical: every array, the pair table and the ledger"
        if same["identical"]
        else "DIFFERENT"
    )
    rows += [
        ("replay", verdict),
        ("digest", report["digest"][:16]),
        ("run", report["run"]),
        ("stored in", report["catalog"]),
        ("took", f"{report['seconds']:.0f} s"),
    ]
    return rows
