"""Acquisitions for the tests, with all their truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbeam.simulate import (
    Counts,
    Experiment,
    HitTruth,
    PhotonTruth,
    SimulationParameters,
    Truth,
)


@dataclass(frozen=True)
class Acquisition:
    """Raw bytes and everything that is known about them."""

    experiment: Experiment
    raw: bytes
    pairs: Truth
    photons: PhotonTruth
    hits: HitTruth
    counts: Counts


def acquire(
    seconds: float = 1.0,
    *,
    seed: int = 1,
    step_s: float = 0.1,
    flux: float = 1.0,
    **parameters: Any,
) -> Acquisition:
    given = SimulationParameters.from_mapping({"sample": "none", **parameters})
    experiment = Experiment(given, seed, keep_photons=True, keep_hits=True)
    parts = [experiment.start()]
    parts += [experiment.advance(step_s, flux=flux) for _ in range(round(seconds / step_s))]
    raw = b"".join([*parts, experiment.stop()])
    return Acquisition(
        experiment,
        raw,
        experiment.truth(),
        experiment.take_photons(),
        experiment.take_hits(),
        experiment.counts,
    )


def chunks(raw: bytes) -> Iterator[tuple[int, NDArray[np.uint64]]]:
    """Chip and words of every chunk."""
    words = np.frombuffer(raw, dtype="<u8")
    at = 0
    while at < words.size:
        header = int(words[at])
        assert header & 0xFFFFFFFF == 0x33585054
        n = (header >> 48) // 8
        yield (header >> 32) & 0xFF, words[at + 1 : at + 1 + n]
        at += 1 + n
    assert at == words.size


def words_of(raw: bytes, kind: int, shift: int = 56) -> list[tuple[int, int]]:
    """Chip and word of all words whose top bits are `kind`."""
    return [
        (chip, int(word))
        for chip, words in chunks(raw)
        for word in words
        if int(word) >> shift == kind
    ]
