"""Raw files of one acquisition as ranges of bytes that can be read beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from twinbeam.errors import RawDataError
from twinbeam.tpx3 import BLOCK_BYTES

__all__ = ["Slab", "slabs_of"]


@dataclass(frozen=True)
class Slab:
    """Consecutive bytes of an acquisition.

    Attributes
    ----------
    first_byte
        Place of the first byte in the acquisition.
    parts
        Files with the range of bytes in each.
    """

    first_byte: int
    parts: tuple[tuple[Path, int, int], ...]

    @property
    def n_bytes(self) -> int:
        """Length."""
        return sum(stop - start for _, start, stop in self.parts)

    def blocks(self, skip: int = 0) -> Iterator[memoryview]:
        """The bytes behind the first `skip`, block by block; a block is valid until the next.

        Raises
        ------
        RawDataError
            If a file became unreadable or shorter.
        """
        buffer = bytearray(BLOCK_BYTES)
        view = memoryview(buffer)
        for path, start, stop in self.parts:
            at = min(start + skip, stop)
            skip -= at - start
            try:
                with path.open("rb", buffering=0) as stream:
                    stream.seek(at)
                    while at < stop:
                        n = stream.readinto(view[: min(BLOCK_BYTES, stop - at)])
                        if not n:
                            raise RawDataError(
                                "became shorter while it was read", where=f"{path}, byte {at}"
                            )
                        yield view[:n]
                        at += n
            except OSError as error:
                raise RawDataError(
                    f"cannot be read further: {error.strerror}", where=f"{path}, byte {at}"
                ) from error


def slabs_of(paths: Sequence[Path], slab_bytes: int) -> list[Slab]:
    """Cut the files of an acquisition into slabs of equal length; the last one may be shorter."""
    slabs: list[Slab] = []
    parts: list[tuple[Path, int, int]] = []
    first = total = 0
    for path in paths:
        at, size = 0, path.stat().st_size
        while at < size:
            stop = min(size, at + slab_bytes - (total - first))
            parts.append((path, at, stop))
            total += stop - at
            at = stop
            if total - first == slab_bytes:
                slabs.append(Slab(first, tuple(parts)))
                parts, first = [], total
    if parts:
        slabs.append(Slab(first, tuple(parts)))
    return slabs
