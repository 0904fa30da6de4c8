"""What a stream held and what is wrong with it, as plain values."""

from __future__ import annotations

from typing import Any

from twinbeam.tpx3.census import Census
from twinbeam.tpx3.disorder import Disorder, DisorderMeter
from twinbeam.tpx3.layout import N_CHIPS
from twinbeam.tpx3.notes import Note
from twinbeam.tpx3.packets import TICK_NS, WordKind
from twinbeam.tpx3.shutter import shutter_intervals
from twinbeam.tpx3.tdc import TdcFault

__all__ = ["SPAN_RULE", "integrity_report"]

SPAN_RULE = (
    "earliest to latest hit; a hit more than 6.7 s ahead of its chip's clock or 1 s behind it "
    "counts only when the chip's next hit agrees"
)
_SECONDS = TICK_NS * 1e-9
_TDC_EDGES = ("1 rise", "1 fall", "2 rise", "2 fall")
# bad places, in the order of a reader's interest
_BAD = (
    Note.UNKNOWN_WORD,
    Note.ALIEN_CHIP,
    Note.RESYNC,
    Note.CUT_CHUNK,
    Note.PACKET_GAP,
    Note.HIT_OFF_CLOCK,
    Note.ANCHOR_OFF_CLOCK,
    Note.INVALID_TDC,
)


def integrity_report(census: Census, disorder: DisorderMeter) -> dict[str, Any]:
    """All counts of a stream by name, with the byte offsets of what is bad in it.

    The values are those of JSON: numbers, texts, lists and dictionaries.
    """
    span = census.span_s
    rate = 1.0 / span if span > 0 else None
    return {
        "bytes": census.n_bytes,
        "hits": census.n_hits,
        "words": {kind.label: census.count(kind) for kind in WordKind if census.count(kind)},
        "hits_by_chip": list(census.hits_by_chip),
        "first_tick": census.first_tick,
        "last_tick": census.last_tick,
        "span_s": span,
        "span_rule": SPAN_RULE,
        "hit_rate_hz": None if rate is None else census.n_hits * rate,
        "hit_rate_hz_by_chip": [None if rate is None else n * rate for n in census.hits_by_chip],
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
        "bad": {note.label: _places(census, note) for note in _BAD if census.noted(note).count},
        "disorder": {
            "by_chip": [_disorder(disorder.chip(chip)) for chip in range(N_CHIPS)],
            "stream": _disorder(disorder.stream),
        },
        "t0_resets": {
            "count": census.t0_resets,
            "offsets": list(census.t0_reset_offsets),
            "times_s": _times_s(census, Note.T0_RESET),
        },
        "shutter": {
            "intervals_s": [
                [_seconds(one.opened), _seconds(one.closed)] for one in shutter_intervals(census)
            ],
            "open_words": census.noted(Note.SHUTTER_OPEN).count,
            "close_words": census.noted(Note.SHUTTER_CLOSE).count,
            "heartbeats": census.count(WordKind.HEARTBEAT),
        },
        "tdc": {
            "edges": dict(zip(_TDC_EDGES, census.tdc_edges, strict=True)),
            "repeats": census.tdc_repeats,
            "invalid": {
                str(fault): n for fault, n in zip(TdcFault, census.tdc_invalid, strict=True) if n
            },
        },
    }


def _seconds(t: int | None) -> float | None:
    return None if t is None else t * _SECONDS


def _times_s(census: Census, note: Note) -> list[float]:
    return [t * _SECONDS for t in census.noted(note).values]


def _disorder(one: Disorder) -> dict[str, Any]:
    return {"out_of_order_share": one.share, "largest_back_us": one.largest_back_us}


def _places(census: Census, note: Note) -> dict[str, Any]:
    """Count and first places of a kind of damage; what was there where it tells more."""
    noted = census.noted(note)
    places: dict[str, Any] = {"count": noted.count, "offsets": list(noted.offsets)}
    if note is Note.UNKNOWN_WORD:
        places["words"] = [f"0x{value:016x}" for value in noted.values]
    elif note is Note.ALIEN_CHIP:
        places["chips"] = list(noted.values)
    elif note is Note.CUT_CHUNK:
        places["bytes_missing"] = list(noted.values)
    elif note is Note.PACKET_GAP:
        places["packets"] = list(noted.values)
    elif note is Note.HIT_OFF_CLOCK:
        places["times_s"] = _times_s(census, note)
    elif note is Note.INVALID_TDC:
        places["reasons"] = [str(list(TdcFault)[value]) for value in noted.values]
    return places
