"""Raw files in parts that are decoded on their own and yet on one clock."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol, Self

from twinbeam.columns import Columns
from twinbeam.errors import StorageError
from twinbeam.store._file_marks import FileMark, Identity, require_file
from twinbeam.tpx3 import BLOCK_BYTES

__all__ = ["PART_BYTES", "Part", "PartReader", "Stream", "parts_of"]

PART_BYTES = 1 << 26  # 8 million words: as hits 120 MB, well under what tiled gives in one answer


class Stream(Protocol):
    """What bytes are turned into, from the first file to wherever it has come."""

    @property
    def rows(self) -> int:
        """Rows so far."""

    def fork(self) -> Self:
        """Another one that goes on from here."""

    def skip(self, block: bytes) -> None:
        """Take bytes whose rows are not wanted."""

    def take(self, block: bytes) -> Columns:
        """Rows of the next bytes."""

    def finish(self) -> Columns:
        """Rows that were held back, when there are no more bytes."""


@dataclass(frozen=True)
class Part:
    """Consecutive bytes of one file."""

    file: int
    begin: int
    end: int


def parts_of(sizes: Sequence[int], part_bytes: int = PART_BYTES) -> tuple[Part, ...]:
    """Parts of files of these sizes: each file is one or more, also an empty one."""
    return tuple(
        Part(file, begin, min(begin + part_bytes, size))
        for file, size in enumerate(sizes)
        for begin in range(0, max(size, 1), part_bytes)
    )


class PartReader:
    """Reads the parts of one acquisition in any order.

    What a part holds depends on the files before it: their clock goes on, and photons at their end
    may be held back. The state in which a part begins is kept for the last parts that were read, so
    that reading on, or again, decodes only what is asked for. How much is kept is bounded.

    Parameters
    ----------
    paths
        The files in their order.
    marks
        What they are to be; None where it is not known.
    parts
        The parts, as `parts_of` gives them.
    fresh
        Makes a stream at its beginning.
    kind
        Streams of the same kind and files give the same rows.
    kept
        States that are kept at most, for all readers with this object.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        marks: Sequence[FileMark | None],
        parts: Sequence[Part],
        fresh: Callable[[], Stream],
        kind: Hashable,
        kept: KeptStates,
    ) -> None:
        self._paths, self._marks, self._parts = paths, marks, parts
        self._fresh, self._kind, self._kept = fresh, kind, kept

    def read(self, part: int) -> list[Columns]:
        """Rows of one part, in pieces.

        Raises
        ------
        IndexError
            If there is no such part.
        StorageError
            If this file or one before it is gone, changed or unreadable.
        """
        if not 0 <= part < len(self._parts):
            raise IndexError(part)
        files = self._require_files(part + 1)
        stream = self._stream_at(part, files)
        pieces = [stream.take(block) for block in self._blocks(part)]
        if part + 1 == len(self._parts):
            pieces.append(stream.finish())
        else:
            self._kept.keep(self._key(part + 1, files), stream.fork())  # without its buffers
        return pieces

    def rows(self) -> list[int]:
        """Number of rows of each part; reads what has not been read before."""
        files = self._require_files(len(self._parts))
        before = [self._kept.rows(self._key(n, files)) for n in range(1, len(self._parts) + 1)]
        if None in before:
            n = len(self._parts)
            stream = self._stream_at(n, files).fork()
            total = stream.rows + len(stream.finish())
            self._kept.count(self._key(n, files), total)
            before = [self._kept.rows(self._key(n, files)) for n in range(1, len(self._parts) + 1)]
        ends = [0, *(count or 0 for count in before)]
        return [end - begin for begin, end in pairwise(ends)]

    def _require_files(self, n_parts: int) -> tuple[Identity, ...]:
        """Identities of the files that the first parts are in."""
        last = self._parts[n_parts - 1].file if n_parts else -1
        return tuple(
            require_file(path, mark)
            for path, mark in zip(self._paths[: last + 1], self._marks, strict=False)
        )

    def _key(self, part: int, files: tuple[Identity, ...]) -> Hashable:
        """Name of the state in which a part begins: all bytes before it."""
        if part == 0:
            return self._kind, 0
        last = self._parts[part - 1]
        return self._kind, files[: last.file + 1], last.end

    def _stream_at(self, part: int, files: tuple[Identity, ...]) -> Stream:
        """A stream of one's own at the beginning of a part."""
        if part == 0:
            return self._fresh()
        kept = self._kept.fork(self._key(part, files))
        if kept is not None:
            return kept
        # one reader goes through the files before, the others find what it has kept
        with self._kept.lock_for((self._kind, files[:1])):
            start, stream = 0, self._fresh()
            for at in range(part, 0, -1):
                kept = self._kept.fork(self._key(at, files))
                if kept is not None:
                    start, stream = at, kept
                    break
            for at in range(start, part):
                for block in self._blocks(at):
                    stream.skip(block)
                key = self._key(at + 1, files)
                self._kept.count(key, stream.rows)
                self._kept.keep(key, stream.fork())
            return stream

    def _blocks(self, part: int) -> Iterator[bytes]:
        """Bytes of a part."""
        here = self._parts[part]
        path = self._paths[here.file]
        at = here.begin
        try:
            with path.open("rb") as stream:
                stream.seek(at)
                while at < here.end and (block := stream.read(min(BLOCK_BYTES, here.end - at))):
                    yield block
                    at += len(block)
        except OSError as error:
            raise StorageError(
                f"the raw file cannot be read further: {error.strerror}",
                where=f"{path}, byte {at}",
            ) from error
        if at < here.end:
            raise StorageError("the raw file ends too early", where=f"{path}, byte {at}")


class KeptStates:
    """Streams at the beginnings of parts, and the rows before them; the oldest are forgotten."""

    _MOST_COUNTS = 50_000

    def __init__(self, most: int) -> None:
        self._most = most
        self._streams: OrderedDict[Hashable, Stream] = OrderedDict()
        self._counts: OrderedDict[Hashable, int] = OrderedDict()
        self._lock = threading.Lock()
        self._reading = [threading.Lock() for _ in range(16)]

    def __len__(self) -> int:
        return len(self._streams)

    def lock_for(self, key: Hashable) -> threading.Lock:
        """A lock that only one reader of an acquisition holds; few others share it."""
        return self._reading[hash(key) % len(self._reading)]

    def fork(self, key: Hashable) -> Stream | None:
        """A copy of a kept stream, or None."""
        with self._lock:
            stream = self._streams.get(key)
            if stream is None:
                return None
            self._streams.move_to_end(key)
            return stream.fork()

    def keep(self, key: Hashable, stream: Stream) -> None:
        """Keep a stream that nobody else will use."""
        with self._lock:
            self._streams[key] = stream
            self._streams.move_to_end(key)
            while len(self._streams) > self._most:
                self._streams.popitem(last=False)
        self.count(key, stream.rows)

    def count(self, key: Hashable, rows: int) -> None:
        """Note how many rows there are before a part."""
        with self._lock:
            self._counts[key] = rows
            while len(self._counts) > self._MOST_COUNTS:
                self._counts.popitem(last=False)

    def rows(self, key: Hashable) -> int | None:
        """Rows before a part, if they have been counted."""
        with self._lock:
            return self._counts.get(key)
