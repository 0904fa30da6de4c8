"""Lists of photons for tests of the pair finder."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from twinbeam.pairs import PairFinder, Pairing, Pairs, Replicas
from twinbeam.photons import Photons
from twinbeam.physics import Geometry


def photons_at(t, x, y, energy_kev=7.5) -> Photons:
    """Photons at given times and places, in order of time."""
    t, x, y, energy = np.broadcast_arrays(t, x, y, energy_kev)
    order = np.argsort(t, kind="stable")
    n = t.size
    return Photons(
        t[order],
        x[order],
        y[order],
        energy[order],
        np.arange(n) + 100,
        np.ones(n, np.int32),
        np.zeros(n, np.uint8),
    )


def random_photons(seed: int, n: int = 80, span_ticks: int = 3000) -> Photons:
    """Photons all over the sensor, dense enough for pairs in every replica."""
    rng = np.random.default_rng(seed)
    t = rng.integers(0, 16 * span_ticks, n) / 16
    x, y = rng.uniform(0, 513, (2, n)).astype(np.float32)
    return photons_at(t, x, y, rng.uniform(1, 15, n).astype(np.float32))


def find(
    photons: Photons,
    pieces: list[int] | None = None,
    pairing: Pairing | None = None,
    replicas: Replicas | None = None,
) -> tuple[Pairs, PairFinder]:
    """All pairs of photons that come in pieces, with the tightest promise about what follows."""
    finder = PairFinder(pairing or Pairing(), replicas or Replicas(n_turns=2), Geometry())
    borders = sorted({p % (len(photons) + 1) for p in pieces or []})
    found = []
    for a, b in pairwise([0, *borders, len(photons)]):
        bound = float(photons.t[b]) if b < len(photons) else float(photons.t[-1])
        found.append(finder.feed(photons[a:b], bound))
    found.append(finder.feed(Photons.empty(), math.inf))
    return Pairs.concatenate(found), finder


seeds = st.integers(0, 2**32 - 1)
places = st.lists(st.integers(0, 2**16), max_size=10)
