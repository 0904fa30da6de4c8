"""Acquisitions processed as pieces that are joined, and what makes two results the same."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from twinbeam.pipeline import Piece, Pipeline, Recipe, Result
from twinbeam.pipeline.tables import Tables
from twinbeam.simulate import Experiment, SimulationParameters
from twinbeam.tpx3 import Decoder

HEAD_BYTES = 20_000  # of the streams here 20 ms, ten times what hits are held back


def simulated(seed: int, seconds: float, **parameters: Any) -> bytes:
    """A busy acquisition: 0.8 MB and 3000 pairs per second."""
    given = {"pair_rate_hz": 3000.0, "background_rate_hz": 4e4, "sample": "none", **parameters}
    experiment = Experiment(SimulationParameters.from_mapping(given), seed)
    parts = [experiment.start()]
    parts += [experiment.advance(0.05) for _ in range(round(seconds / 0.05))]
    return b"".join([*parts, experiment.stop()])


def borders_of(raw: bytes, where: Sequence[int]) -> list[int]:
    """Places taken modulo the length, with both ends."""
    return sorted({p % (len(raw) + 1) for p in where} | {0, len(raw)})


def fed(raw: bytes, recipe: Recipe | None = None, masked: np.ndarray | None = None) -> Result:
    """The result of feeding everything in one go."""
    pipeline = Pipeline(recipe, masked=masked, keep_photons=True)
    pipeline.feed(raw)
    return pipeline.finish()


def joined(
    raw: bytes,
    borders: Sequence[int],
    *,
    recipe: Recipe | None = None,
    masked: np.ndarray | None = None,
    forked: bool = True,
    head_bytes: int = HEAD_BYTES,
    feed_bytes: int = 1 << 20,
    keep_photons: bool = True,
    snapshots: bool = False,
) -> tuple[Result, list[bool]]:
    """The result of pieces joined in order, and which of them were used.

    Parameters
    ----------
    forked
        Whether every piece gets a decoder that has read all before it.
    feed_bytes
        How much a piece is given at a time.
    snapshots
        Whether the pipeline is asked for its result after every join.
    """
    pipeline = Pipeline(recipe, masked=masked, keep_photons=keep_photons)
    tables = Tables.of(recipe or Recipe(), masked)
    ahead = Decoder()
    pieces = []
    for start, stop in pairwise(borders):
        piece = Piece(
            tables,
            first_byte=start,
            keep_photons=keep_photons,
            decoder=ahead.fork() if forked else None,
            head_bytes=head_bytes,
        )
        ahead.feed(raw[start:stop])
        for at in range(start, stop, feed_bytes):
            piece.feed(raw[at : min(at + feed_bytes, stop)])
        pieces.append((piece, start, stop))
    used = []
    for piece, start, stop in pieces:
        rest = raw[start + len(piece.head) : stop]
        used.append(pipeline.join(piece, lambda rest=rest: [rest]))
        if snapshots:
            now = pipeline.snapshot()
            assert now.ledger.closes
            assert now.census.n_bytes == stop
    return pipeline.finish(), used


def differences(one: Result, other: Result) -> list[str]:
    """Everything in which two results differ, photons, census and duration included."""
    found = one.differences(other)
    for name in ("census", "duration_s", "acquisitions", "estimate", "n_photons"):
        if getattr(one, name) != getattr(other, name):
            found.append(f"{name}: {getattr(one, name)} and {getattr(other, name)}")
    if one.photons is not None and other.photons is not None:
        found += [] if one.photons.equals(other.photons) else ["photons"]
    if one.digest() != other.digest():
        found.append("digest")
    return found
