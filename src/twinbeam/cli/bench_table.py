"""Measured throughput as tables for people."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from twinbeam.cli.bench_stages import STAGES
from twinbeam.cli.console import number

__all__ = ["chain_table", "file_line", "machine_line", "stage_table"]


def file_line(file: dict[str, Any], made: str | None) -> str:
    """What the raw file holds."""
    span = file["span_s"]
    rate = f" at {1e-6 * file['hits'] / span:.3g} Mhit/s" if span else ""
    text = (
        f"{file['hits']:,} hits{rate}, {file['photons']:,} photons, {file['pairs']:,} pairs, "
        f"{1e-6 * file['bytes']:.1f} MB"
    )
    return f"{text}; {made or file['path']}"


def machine_line(machine: dict[str, Any]) -> str:
    """Where it was measured."""
    return (
        f"{machine['processor']}, {machine['usable_processors']} usable processors, "
        f"load {machine['load']:.1f}; Python {machine['python']}, numba {machine['numba']}"
    )


def stage_table(values: dict[str, Any]) -> Table:
    """One row a stage, then all together."""
    table = _table("stage by stage, one thread")
    table.add_column("")
    for head in ("Mhit/s", "CPU\nns/hit", "share"):
        table.add_column(head, justify="right", no_wrap=True)
    stages = values["stages"]
    total = sum(stage["cpu_ns_per_hit"] for stage in stages.values()) or 1.0
    for name, stage in stages.items():
        table.add_row(
            name, STAGES[name], *_numbers(stage), f"{100 * stage['cpu_ns_per_hit'] / total:.0f} %"
        )
    return table


def chain_table(values: dict[str, Any]) -> Table:
    """Whole files: with one and with more workers, then the peers that could be measured."""
    table = _table("file → result, whole process")
    heads = ("Mhit/s", "CPU\nns/hit", "peak\nMB", "above\nidle MB", "twinbeam\nis faster")
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    for chain in values["chain"]:
        n = chain["workers"]
        name = f"twinbeam, {n} worker{'s' if n > 1 else ''}"
        table.add_row(name, *_numbers(chain), *_memory(chain), "")
    for name, peer in values["peers"].items():
        if "problem" not in peer:
            ratios = " / ".join(f"{r:.2g}" for r in peer["twinbeam_is_faster_by"].values())
            row = (*_numbers(peer), *_memory(peer), f"{ratios} ×")
            table.add_row(f"{name} {peer['version']}", *row)
    return table


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("", style="cyan", no_wrap=True)
    return table


def _numbers(speed: dict[str, Any]) -> tuple[str, str]:
    rate = speed["mhit_per_s"]
    digits = 2 if rate < 10 else 1 if rate < 100 else 0
    return number(float(rate), digits), number(float(speed["cpu_ns_per_hit"]), 1)


def _memory(speed: dict[str, Any]) -> tuple[str, str]:
    return f"{1e-6 * speed['peak_bytes']:,.0f}", f"{1e-6 * speed['above_idle_bytes']:,.0f}"
