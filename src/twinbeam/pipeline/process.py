"""Raw files → result, offline."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from twinbeam.errors import RawDataError
from twinbeam.pipeline.acquisitions import acquisitions_of
from twinbeam.pipeline.piece import Piece
from twinbeam.pipeline.pipeline import Pipeline
from twinbeam.pipeline.recipe import Recipe
from twinbeam.pipeline.result import Result
from twinbeam.pipeline.slabs import Slab, slabs_of
from twinbeam.tpx3 import Decoder, WordKind

__all__ = ["process"]

_WORKERS_FOR_PIECES = 4  # as many threads as there are stages are of use, and less is done twice
_SLAB_BYTES = 1 << 24  # one thread's work at a time; little is read twice, and few wait at the end


def process(
    paths: Sequence[str | Path],
    recipe: Recipe | None = None,
    *,
    keep_photons: bool = False,
    workers: int = 1,
    on_progress: Callable[[int], None] | None = None,
) -> Result:
    """Process raw files.

    Consecutive files whose names differ only in the six digits before `.tpx3` are pieces of one
    acquisition and share its clock; any other file starts another acquisition.

    Parameters
    ----------
    paths
        Raw `.tpx3` files in their order.
    workers
        Threads: up to three take blocks through the stages beside each other, more process parts
        of an acquisition beside each other. The result is the same for any number.
    on_progress
        Called with the number of bytes of every part that was processed, in the calling thread.

    Raises
    ------
    RawDataError
        If a file is missing, unreadable or given twice, or an acquisition does not begin as one;
        all are checked before work starts.
    RecipeError
        If a file the recipe names cannot be read or was changed.
    ValueError
        If `workers` is below 1.
    """
    if workers < 1:
        raise ValueError(f"workers must be 1 or more, not {workers}")
    if not paths:
        raise RawDataError("no raw files given", hint="name at least one .tpx3 file")
    acquisitions = acquisitions_of(paths)
    pipeline = Pipeline(recipe, keep_photons=keep_photons)
    tell = on_progress or (lambda n: None)
    for files in acquisitions:
        pipeline.next_acquisition()
        slabs = slabs_of(files, _SLAB_BYTES)
        if workers < _WORKERS_FOR_PIECES or len(slabs) == 1 or not pipeline.joins:
            blocks = (block for slab in slabs for block in slab.blocks())
            pipeline.feed_all(blocks, workers, tell)
        else:
            for slab, piece in _pieces(pipeline, slabs, workers):
                pipeline.join(piece, partial(slab.blocks, len(piece.head)))
                tell(slab.n_bytes)
    result = pipeline.finish()
    if result.census.n_bytes and not result.census.count(WordKind.HEADER):
        raise RawDataError(
            "not a Timepix3 raw file: no whole chunk header in it", where=str(paths[0])
        )
    return result


def _pieces(
    pipeline: Pipeline, slabs: Sequence[Slab], workers: int
) -> Iterator[tuple[Slab, Piece]]:
    """Pieces in order, a few of them processed ahead beside each other.

    Only a decoder that has read all before knows the clock. Decoding is a small part of the work,
    so this thread does it for all slabs in advance and gives every piece a copy.
    """

    def work(slab: Slab, decoder: Decoder) -> Piece:
        piece = pipeline.piece(slab.first_byte, decoder)
        for block in slab.blocks():
            piece.feed(block)
        return piece

    ahead = Decoder()
    coming: deque[tuple[Slab, Future[Piece]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="twinbeam-process")
    try:
        for slab in slabs:
            coming.append((slab, pool.submit(work, slab, ahead.fork())))
            for block in slab.blocks():
                ahead.skim(block)
            if len(coming) > 2 * workers:
                done, piece = coming.popleft()
                yield done, piece.result()
        while coming:
            done, piece = coming.popleft()
            yield done, piece.result()
    finally:
        pool.shutdown(cancel_futures=True)
