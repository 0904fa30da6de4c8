"""`twinbeam info`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from twinbeam.cli.console import number, out, show_json, two_columns
from twinbeam.errors import RawDataError

__all__ = ["info"]


def info(
    raw: Annotated[list[Path], typer.Argument(help="Raw .tpx3 files.", metavar="RAW…")],
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON on stdout.")] = False,
) -> None:
    """What raw files hold and whether they are whole: words by kind, chips, span, gaps, rate.

    Each file is read by itself; nothing is clustered or paired.
    """
    from twinbeam.tpx3 import Decoder, check_raw_file, iterate_file

    checked = [check_raw_file(path) for path in raw]
    reports = []
    for path in checked:
        decoder = Decoder()
        for block in iterate_file(path):
            decoder.feed(block)
        report = _report(path, decoder)
        if not report["words"].get("header"):
            what = "no whole chunk in it" if report["bytes"] else "holds no data (0 bytes)"
            raise RawDataError(what, where=str(path))
        reports.append(report)
    if as_json:
        show_json(reports)
        return
    for report in reports:
        out.print(two_columns(report["file"], _rows(report)))


def _report(path: Path, decoder: Any) -> dict[str, Any]:
    from twinbeam.tpx3 import WordKind

    census = decoder.census()
    span = census.span_s
    return {
        "file": str(path),
        "bytes": census.n_bytes,
        "hits": census.n_hits,
        "words": {kind.label: census.count(kind) for kind in WordKind if census.count(kind)},
        "hits_by_chip": list(census.hits_by_chip),
        "first_tick": census.first_tick,
        "last_tick": census.last_tick,
        "span_s": span,
        "hit_rate_hz": census.n_hits / span if span > 0 else None,
        "packet_id_gaps": census.packet_id_gaps,
        "packet_ids_lost": census.packet_ids_lost,
        "damage": {
            "first_at_byte": census.first_damage_at,
            "resyncs": census.resyncs,
            "resync_bytes": census.resync_bytes,
            "cut_chunks": census.cut_chunks,
            "cut_bytes": census.cut_bytes,
            "missing_bytes": census.missing_bytes,
            "truncated_bytes": census.truncated_bytes,
            "bad_chip_words": census.bad_chip_words,
        },
    }


def _rows(report: dict[str, Any]) -> list[tuple[str, str]]:
    damage = {name: n for name, n in report["damage"].items() if n}
    return [
        ("bytes", number(report["bytes"])),
        ("hits", number(report["hits"])),
        ("hits by chip", ", ".join(f"{i}: {n:,}" for i, n in enumerate(report["hits_by_chip"]))),
        ("span", number(report["span_s"], 6, "s")),
        ("hit rate", number(report["hit_rate_hz"], 1, "per s")),
        ("words", ", ".join(f"{n:,} {kind}" for kind, n in report["words"].items())),
        (
            "packet ids",
            "no gap"
            if not report["packet_id_gaps"]
            else f"{report['packet_id_gaps']:,} jumps, {report['packet_ids_lost']:,} packets lost",
        ),
        (
            "framing",
            "whole" if not damage else ", ".join(f"{k} {v:,}" for k, v in damage.items()),
        ),
    ]
