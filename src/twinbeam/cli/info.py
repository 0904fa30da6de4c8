"""`twinbeam info`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from twinbeam.cli.console import number, out, problem, show_json, two_columns
from twinbeam.errors import RawDataError

__all__ = ["info"]

_SHOWN = 3  # places of a kind in the text; JSON has the first hundred


def info(
    raw: Annotated[list[Path], typer.Argument(help="Raw .tpx3 files.", metavar="RAW…")],
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON on stdout.")] = False,
) -> None:
    """What raw files hold and whether they are whole.

    Words by kind, hits and rates by chip, span, order, lost packets, bad words and resyncs with
    their byte offsets, resets of the clock, shutter, TDC edges. Each file is read by itself;
    nothing is clustered or paired. Status 1 if a file is damaged or cut off.

    Example: twinbeam info run_000000.tpx3
    """
    from twinbeam.tpx3 import Decoder, DisorderMeter, check_raw_file, integrity_report, iterate_file

    checked = [check_raw_file(path) for path in raw]
    reports = []
    for path in checked:
        decoder, disorder = Decoder(), DisorderMeter()
        for block in iterate_file(path):
            disorder.feed(decoder.feed(block))
        report = {"file": str(path), **integrity_report(decoder.census(), disorder)}
        if not report["words"].get("header"):
            what = "no whole chunk in it" if report["bytes"] else "holds no data (0 bytes)"
            raise RawDataError(what, where=str(path))
        reports.append(report)
    if as_json:
        show_json(reports)
    else:
        for report in reports:
            out.print(two_columns(report["file"], _rows(report)))
    wrong = {report["file"]: text for report in reports if (text := _damage(report))}
    for name, text in wrong.items():
        problem(f"{name}: damaged or cut off: {text} ('twinbeam process' uses the rest)")
    if wrong:
        raise typer.Exit(1)


def _rows(report: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("bytes", number(report["bytes"])),
        ("hits", number(report["hits"])),
        ("hits by chip", ", ".join(f"{i}: {n:,}" for i, n in enumerate(report["hits_by_chip"]))),
        ("span", number(report["span_s"], 6, "s")),
        ("hit rate", number(report["hit_rate_hz"], 1, "per s")),
        (
            "hit rate by chip",
            ", ".join(
                f"{i}: {number(rate, 1)}" for i, rate in enumerate(report["hit_rate_hz_by_chip"])
            )
            + " per s",
        ),
        ("order", _order(report["disorder"])),
        ("words", ", ".join(f"{n:,} {kind}" for kind, n in report["words"].items())),
        ("TDC", _tdc(report["tdc"])),
        ("shutter", _shutter(report["shutter"])),
        ("clock resets", _resets(report["t0_resets"])),
        (
            "packet ids",
            "no gap"
            if not report["packet_id_gaps"]
            else f"{report['packet_id_gaps']:,} jumps, {report['packet_ids_lost']:,} packets lost",
        ),
        (
            "framing",
            _damage(report) or "whole",
        ),
        *(
            (name.replace("_", " "), f"{bad['count']:,}, at byte {_first(bad['offsets'])}")
            for name, bad in report["bad"].items()
        ),
    ]


def _damage(report: dict[str, Any]) -> str:
    """What of the framing is not whole, and where it begins; empty when all is."""
    damage = dict(report["damage"])
    first = damage.pop("first_at_byte")
    text = ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in damage.items() if n)
    return f"{text}, first at byte {first:,}" if text and first is not None else text


def _first(values: list[int]) -> str:
    text = ", ".join(f"{value:,}" for value in values[:_SHOWN])
    return text + (" …" if len(values) > _SHOWN else "")


def _order(disorder: dict[str, Any]) -> str:
    chips = ", ".join(
        f"{i}: {one['out_of_order_share']:.1%} back, at most {one['largest_back_us']:,.3g} µs"
        for i, one in enumerate(disorder["by_chip"])
    )
    return f"{chips}; all chips at most {disorder['stream']['largest_back_us']:,.3g} µs"


def _tdc(tdc: dict[str, Any]) -> str:
    parts = [f"{n:,} of input {edge}" for edge, n in tdc["edges"].items() if n]
    parts += [f"{n:,} invalid ({reason})" for reason, n in tdc["invalid"].items()]
    return ", ".join(parts) or "no edge"


def _shutter(shutter: dict[str, Any]) -> str:
    def at(time_s: float | None) -> str:
        return "?" if time_s is None else f"{time_s:,.6f}"

    intervals = [f"{at(opened)} to {at(closed)} s" for opened, closed in shutter["intervals_s"]]
    text = ", ".join(intervals[:_SHOWN]) or "no word of it"
    if len(intervals) > _SHOWN:
        text += f" and {len(intervals) - _SHOWN:,} more"
    return f"{text}; {shutter['heartbeats']:,} heartbeats"


def _resets(resets: dict[str, Any]) -> str:
    if not resets["count"]:
        return "none"
    return f"{resets['count']:,}, at byte {_first(resets['offsets'])}"
