"""Remarkable places of a stream: what was there, how often, and at which bytes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

__all__ = ["MOST_NOTED", "Note", "Noted"]

MOST_NOTED = (
    100  # places of a kind that are kept; of shutter words, which all chips send, four times
)


class Note(IntEnum):
    """What a noted place is; the value is its place in `Census.notes`.

    The value noted with it: of an unknown word and a rejected anchor the word itself, of a foreign
    chip its number, of a cut chunk the bytes missing, of a packet gap the packets, of a hit off
    the clock, a T0 reset and a shutter word the time in ticks, of an invalid TDC word the reason.
    """

    UNKNOWN_WORD = 0
    ALIEN_CHIP = 1
    RESYNC = 2
    CUT_CHUNK = 3
    PACKET_GAP = 4
    HIT_OFF_CLOCK = 5
    ANCHOR_OFF_CLOCK = 6
    INVALID_TDC = 7
    T0_RESET = 8
    SHUTTER_OPEN = 9
    SHUTTER_CLOSE = 10

    @property
    def label(self) -> str:
        """Lower-case name."""
        return self.name.lower()

    @property
    def most(self) -> int:
        """How many places of this kind are kept."""
        return 4 * MOST_NOTED if self >= Note.SHUTTER_OPEN else MOST_NOTED

    @property
    def is_time(self) -> bool:
        """Whether the values are times in ticks."""
        return self in (Note.HIT_OFF_CLOCK, Note.T0_RESET, Note.SHUTTER_OPEN, Note.SHUTTER_CLOSE)


@dataclass(frozen=True)
class Noted:
    """Count of a kind of place, and the first of them.

    Attributes
    ----------
    count
        How many there were.
    offsets
        Byte offset in the stream of each of the first.
    values
        Number noted with each of them; see `Note`.
    """

    count: int = 0
    offsets: tuple[int, ...] = ()
    values: tuple[int, ...] = ()

    def then(self, other: Noted, most: int, shift_bytes: int = 0) -> Noted:
        """Both together; the other's offsets are moved by `shift_bytes`."""
        offsets = self.offsets + tuple(at + shift_bytes for at in other.offsets)
        values = self.values + other.values
        return Noted(self.count + other.count, offsets[:most], values[:most])

    def since(self, earlier: Noted) -> Noted:
        """What was added after an earlier look at the same list."""
        n = len(earlier.offsets)
        return Noted(self.count - earlier.count, self.offsets[n:], self.values[n:])
