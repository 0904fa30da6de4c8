"""Raw files as streams of bytes, checked before work starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from twinbeam.errors import RawDataError
from twinbeam.tpx3.decode import Decoder
from twinbeam.tpx3.hits import Hits
from twinbeam.tpx3.packets import MAGIC, WordKind
from twinbeam.tpx3.tdc import TdcEdges

__all__ = [
    "BLOCK_BYTES",
    "check_raw_file",
    "iterate_bytes",
    "iterate_file",
    "read_hits",
    "read_tdc",
]

BLOCK_BYTES = 1 << 19  # keeps the buffers of a block inside the cache
_SEARCH_BYTES = 1 << 20  # a foreign file is recognised by the lack of a header in its first bytes


def check_raw_file(path: str | Path) -> Path:
    """Make sure a path names a readable Timepix3 file; an empty file is a valid, empty run.

    Raises
    ------
    RawDataError
        If the file is missing, not a file, unreadable, or holds no Timepix3 chunk header.
    """
    path = Path(path)
    try:
        if not path.exists():
            raise RawDataError("no such file", where=str(path), hint="check the path")
        if not path.is_file():
            hint = "name the .tpx3 files themselves"
            raise RawDataError("not a file", where=str(path), hint=hint)
        with path.open("rb") as stream:
            head = stream.read(_SEARCH_BYTES)
    except OSError as error:
        raise RawDataError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if head and MAGIC.to_bytes(4, "little") not in head:
        raise RawDataError(
            f"not a Timepix3 raw file: no chunk header in its first {len(head)} bytes",
            where=f"{path}, byte 0",
            hint="raw files of Serval begin with the letters TPX3",
        )
    return path


def iterate_file(path: str | Path, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Bytes of a checked raw file, block by block.

    Raises
    ------
    RawDataError
        As `check_raw_file`, or when the file becomes unreadable on the way.
    """
    yield from iterate_bytes(check_raw_file(path), block_bytes=block_bytes)


def iterate_bytes(
    path: str | Path, first_byte: int = 0, *, block_bytes: int = BLOCK_BYTES
) -> Iterator[bytes]:
    """Bytes of a file from one on, block by block, whatever they are.

    Raises
    ------
    RawDataError
        If the file is missing or becomes unreadable on the way.
    """
    at = first_byte
    try:
        with Path(path).open("rb") as stream:
            stream.seek(at)
            while block := stream.read(block_bytes):
                yield block
                at += len(block)
    except OSError as error:
        raise RawDataError(
            f"cannot be read further: {error.strerror}", where=f"{path}, byte {at}"
        ) from error


def read_hits(*paths: str | Path) -> Hits:
    """All hits of the consecutive files of one acquisition, in the order of the stream.

    Raises
    ------
    RawDataError
        If a file is missing, unreadable or foreign.
    """
    decoder = Decoder()
    hits = Hits.concatenate(decoder.feed(block) for block in _iterate_pieces(paths))
    _require_chunks(decoder, paths)
    return hits


def read_tdc(*paths: str | Path) -> TdcEdges:
    """All TDC edges of the consecutive files of one acquisition, each once.

    Raises
    ------
    RawDataError
        If a file is missing, unreadable or foreign.
    """
    decoder = Decoder(tdc=True)
    for block in _iterate_pieces(paths):
        decoder.feed(block)
    _require_chunks(decoder, paths)
    return decoder.take_tdc()


def _iterate_pieces(paths: Sequence[str | Path]) -> Iterator[bytes]:
    """Bytes of consecutive files; a later one may be the middle of a chunk and hold no header."""
    begun = False
    for path in paths:
        yield from iterate_bytes(path) if begun else iterate_file(path)
        begun = begun or Path(path).stat().st_size > 0


def _require_chunks(decoder: Decoder, paths: Sequence[str | Path]) -> None:
    census = decoder.census()
    if census.n_bytes and not census.count(WordKind.HEADER):
        raise RawDataError("holds no Timepix3 chunk", where=str(paths[0]))
