"""What a raw stream held: words by kind, damage, span."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import reduce
from typing import Any

from twinbeam.tpx3.notes import Note, Noted
from twinbeam.tpx3.packets import TICK_NS, WordKind

__all__ = ["Census"]


@dataclass(frozen=True)
class Census:
    """Counts over a stream; every byte is in exactly one entry of `by_bytes`.

    Attributes
    ----------
    n_bytes
        Bytes fed.
    words
        Number of words by `WordKind`; pixel words of a damaged chunk that are more than a second
        off the clock count as unknown.
    truncated_bytes
        Bytes of an unfinished word at the end.
    resync_bytes, resyncs
        Bytes skipped in search of the next header, and how often the search started.
    cut_chunks, cut_bytes
        Chunks whose size reached into the next header, and the bytes they had announced beyond it.
    missing_bytes
        Bytes the last header announced that never came.
    bad_chip_words
        Words of chips the quad does not have.
    packet_id_gaps, packet_ids_lost
        Jumps of the per-chip packet counter, and how many packets they skipped and that did not
        come later (real chips swap neighbouring packets).
    hits_by_chip
        Pixel words of each chip.
    first_tick, last_tick
        Earliest and latest hit in ticks of 1.5625 ns, None without hits. A hit off the clock (more
        than 6.7 s ahead or 1 s back) counts only when the chip's next hit agrees with it.
    first_damage_at
        Byte offset of the first framing damage, in streams added one after the other; None when
        there was none.
    tdc_edges
        TDC edges, each once: input 1 rise, fall, input 2 rise, fall.
    tdc_repeats
        TDC words in which another chip told of the same edge.
    tdc_invalid
        TDC words that are no edge, by reason in the order of `TdcFault`.
    notes
        Remarkable places by `Note`: count, and byte offsets of the first ones.
    """

    n_bytes: int
    words: tuple[int, ...]
    truncated_bytes: int
    resync_bytes: int
    resyncs: int
    cut_chunks: int
    cut_bytes: int
    missing_bytes: int
    bad_chip_words: int
    packet_id_gaps: int
    packet_ids_lost: int
    hits_by_chip: tuple[int, ...]
    first_tick: int | None
    last_tick: int | None
    first_damage_at: int | None
    tdc_edges: tuple[int, ...] = (0, 0, 0, 0)
    tdc_repeats: int = 0
    tdc_invalid: tuple[int, ...] = (0, 0, 0, 0)
    notes: tuple[Noted, ...] = (Noted(),) * len(Note)

    @property
    def n_hits(self) -> int:
        """Pixel words of all chips."""
        return self.words[WordKind.PIXEL]

    @property
    def span_s(self) -> float:
        """Seconds from the earliest to the latest hit."""
        if self.first_tick is None or self.last_tick is None:
            return 0.0
        return (self.last_tick - self.first_tick) * TICK_NS * 1e-9

    def count(self, kind: WordKind) -> int:
        """Number of words of one kind."""
        return self.words[kind]

    def noted(self, kind: Note) -> Noted:
        """Places of one kind."""
        return self.notes[kind]

    @property
    def t0_resets(self) -> int:
        """How often the detector's clock was set to zero inside the stream."""
        return self.notes[Note.T0_RESET].count

    @property
    def t0_reset_offsets(self) -> tuple[int, ...]:
        """Byte offsets of the words that first told of the first resets."""
        return self.notes[Note.T0_RESET].offsets

    def bytes_not_hits(self) -> dict[str, int]:
        """Bytes that are no pixel word, by what they are; with 8 · hits they sum to `n_bytes`."""
        reasons = {kind.label: 8 * self.words[kind] for kind in WordKind if kind != WordKind.PIXEL}
        reasons["chip_unknown"] = 8 * self.bad_chip_words
        reasons["resync"] = self.resync_bytes
        reasons["truncated"] = self.truncated_bytes
        return {reason: n for reason, n in reasons.items() if n}

    @property
    def damage(self) -> dict[str, int]:
        """What is wrong with the framing, by kind; empty when the stream is whole."""
        kinds = {
            "resyncs": self.resyncs,
            "resync_bytes": self.resync_bytes,
            "cut_chunks": self.cut_chunks,
            "cut_bytes": self.cut_bytes,
            "missing_bytes": self.missing_bytes,
            "truncated_bytes": self.truncated_bytes,
            "bad_chip_words": self.bad_chip_words,
        }
        return {kind: n for kind, n in kinds.items() if n}

    def describe_damage(self) -> str:
        """The damage as words for people; empty when the stream is whole."""
        text = ", ".join(f"{n:,} {kind.replace('_', ' ')}" for kind, n in self.damage.items())
        if text and self.first_damage_at is not None:
            text += f", first at byte {self.first_damage_at:,}"
        return text

    def __add__(self, other: Census) -> Census:
        """Counts of two streams together; the span is the longer one, clocks being unrelated."""
        longer = self if self.span_s >= other.span_s else other
        damage = self.first_damage_at
        if damage is None and other.first_damage_at is not None:
            damage = self.n_bytes + other.first_damage_at
        return self._combined(
            other,
            sign=1,
            first_tick=longer.first_tick,
            last_tick=longer.last_tick,
            first_damage_at=damage,
            notes=tuple(
                a.then(b, kind.most, self.n_bytes)
                for kind, a, b in zip(Note, self.notes, other.notes, strict=True)
            ),
        )

    def since(self, earlier: Census) -> Census:
        """What came after an earlier census of the same decoder.

        All counts are differences (those of an unfinished end may be negative); the span is that of
        all hits of this census, see `Decoder.restart_span`.
        """
        return self._combined(
            earlier,
            sign=-1,
            first_tick=self.first_tick,
            last_tick=self.last_tick,
            first_damage_at=self.first_damage_at if earlier.first_damage_at is None else None,
            notes=tuple(a.since(b) for a, b in zip(self.notes, earlier.notes, strict=True)),
        )

    def continued_by(self, later: Census) -> Census:
        """This census and what came after it in the same stream, on the same clock.

        `earlier.continued_by(now.since(earlier)) == now` for two looks at one decoder.
        """
        firsts = [c.first_tick for c in (self, later) if c.first_tick is not None]
        lasts = [c.last_tick for c in (self, later) if c.last_tick is not None]
        damage = self.first_damage_at
        return self._combined(
            later,
            sign=1,
            first_tick=min(firsts, default=None),
            last_tick=max(lasts, default=None),
            first_damage_at=later.first_damage_at if damage is None else damage,
            notes=tuple(
                a.then(b, kind.most)
                for kind, a, b in zip(Note, self.notes, later.notes, strict=True)
            ),
        )

    def _combined(self, other: Census, sign: int, **given: Any) -> Census:
        """Counts with `sign` times the other's; what is no count is given."""
        values = dict(given)
        for field in fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            if field.name in given:
                continue
            if isinstance(mine, tuple):
                values[field.name] = tuple(a + sign * b for a, b in zip(mine, theirs, strict=True))
            else:
                values[field.name] = mine + sign * theirs
        return Census(**values)

    @classmethod
    def total(cls, parts: list[Census]) -> Census:
        """Counts of several streams together."""
        return reduce(lambda a, b: a + b, parts)
