"""What a raw stream held: words by kind, damage, span."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

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
        Earliest and latest hit in ticks of 1.5625 ns, None without hits.
    first_damage_at
        Byte offset of the first framing damage, in streams added one after the other; None when
        there was none.
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
        return Census(
            n_bytes=self.n_bytes + other.n_bytes,
            words=tuple(a + b for a, b in zip(self.words, other.words, strict=True)),
            truncated_bytes=self.truncated_bytes + other.truncated_bytes,
            resync_bytes=self.resync_bytes + other.resync_bytes,
            resyncs=self.resyncs + other.resyncs,
            cut_chunks=self.cut_chunks + other.cut_chunks,
            cut_bytes=self.cut_bytes + other.cut_bytes,
            missing_bytes=self.missing_bytes + other.missing_bytes,
            bad_chip_words=self.bad_chip_words + other.bad_chip_words,
            packet_id_gaps=self.packet_id_gaps + other.packet_id_gaps,
            packet_ids_lost=self.packet_ids_lost + other.packet_ids_lost,
            hits_by_chip=tuple(
                a + b for a, b in zip(self.hits_by_chip, other.hits_by_chip, strict=True)
            ),
            first_tick=longer.first_tick,
            last_tick=longer.last_tick,
            first_damage_at=damage,
        )

    @classmethod
    def total(cls, parts: list[Census]) -> Census:
        """Counts of several streams together."""
        return reduce(lambda a, b: a + b, parts)
