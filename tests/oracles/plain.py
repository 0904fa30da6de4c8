"""Hits → photons → pairs as plainly as possible: every hit with every hit, all with all.

Python numbers throughout. What is fixed by the formats is kept: energies in steps of 1/65536 keV,
times in sixteenths of a tick, single precision of places and energies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np

from twinbeam.pipeline import Recipe
from twinbeam.tpx3 import Hits

TICK_NS = 1.5625
Hit = tuple[int, int, int, int]  # t, y, x, ToT in steps of 25 ns


@dataclass(frozen=True, order=True)
class Photon:
    """A photon; the order of the fields is the order of the table."""

    t: float
    y: float
    x: float
    energy_kev: float
    tot_ns: int
    n_hits: int
    flags: int


def hits_that_count(hits: Hits) -> list[Hit]:
    """Sorted, without repeats of a pixel in a tick (the lowest ToT stays) and without ToT 0."""
    rows = zip(hits.t.tolist(), hits.y.tolist(), hits.x.tolist(), hits.tot_ns.tolist(), strict=True)
    first: dict[tuple[int, int, int], Hit] = {}
    for t, y, x, tot in sorted(rows):
        first.setdefault((t, y, x), (t, y, x, tot // 25))
    return [hit for hit in first.values() if hit[3]]


def clusters(hits: list[Hit], window_ticks: int) -> list[list[Hit]]:
    """Connected components: 8 neighbours or the same pixel, at most the window apart."""
    left = set(range(len(hits)))
    found = []
    while left:
        todo = [left.pop()]
        group = []
        while todo:
            i = todo.pop()
            group.append(hits[i])
            near = {j for j in left if touch(hits[i], hits[j], window_ticks)}
            left -= near
            todo += near
        found.append(sorted(group))
    return found


def touch(a: Hit, b: Hit, window_ticks: int) -> bool:
    return abs(a[0] - b[0]) <= window_ticks and abs(a[1] - b[1]) <= 1 and abs(a[2] - b[2]) <= 1


def energy_steps(step: int, recipe: Recipe) -> int:
    """Energy of a ToT: the larger root E of ``ToT = aE + b - c/(E - t)``."""
    r = recipe.response
    a, b, c, t = r.a_ns_per_kev, r.b_ns, r.c_ns_kev, r.t_kev
    rest = 25 * step - b - a * t  # of ToT above what the line gives at t
    energy = t + (rest + math.sqrt(rest * rest + 4 * a * c)) / (2 * a)
    return max(math.floor(energy * 65536 + 0.5), 66)


def walk_steps(step: int, recipe: Recipe) -> int:
    r = recipe.response
    walk_ns = r.timewalk_ns * math.exp(-r.timewalk_decay_per_ns * 25 * step)
    return math.floor(walk_ns / TICK_NS * 16 + 0.5)


def photon_of(group: list[Hit], recipe: Recipe) -> Photon:
    gap = recipe.geometry.gap_px
    energies = [energy_steps(hit[3], recipe) for hit in group]
    total = sum(energies)
    y, x = (
        sum(e * (hit[k] + gap * (hit[k] >= 256)) for e, hit in zip(energies, group, strict=True))
        / total
        for k in (1, 2)
    )
    largest = group[energies.index(max(energies))]
    edge = any(hit[k] in (255, 256) for hit in group for k in (1, 2))
    saturated = any(hit[3] >= 1022 for hit in group)
    return Photon(
        t=(16 * largest[0] - walk_steps(largest[3], recipe)) / 16,
        y=float(np.float32(y)),
        x=float(np.float32(x)),
        energy_kev=float(np.float32(total / 65536)),
        tot_ns=sum(25 * hit[3] for hit in group),
        n_hits=len(group),
        flags=edge + 2 * saturated,
    )


def photons_of(hits: Hits, recipe: Recipe) -> list[Photon]:
    """All photons in order."""
    window = math.floor(recipe.clustering.window_ns / TICK_NS)
    return sorted(photon_of(group, recipe) for group in clusters(hits_that_count(hits), window))


@dataclass(frozen=True)
class Pair:
    """A candidate: signal, idler, turns by which the idler was shifted."""

    one: Photon
    two: Photon
    replica: int
    recipe: Recipe

    @property
    def dt_ns(self) -> float:
        r = self.recipe.replicas
        shift = round(self.replica * r.turn_ns / TICK_NS)
        return (self.two.t + shift - self.one.t) * TICK_NS

    def quantity(self, name: str) -> float:
        """What a cut is on."""
        g = self.recipe.geometry
        (ax, ay), (bx, by) = (
            (p.x - g.centre_px[0], p.y - g.centre_px[1]) for p in (self.one, self.two)
        )
        if name == "dt_ns":
            return self.dt_ns
        if name == "energy_sum_kev":
            return self.one.energy_kev + self.two.energy_kev
        if name in ("tot1", "tot2"):
            return float((self.one if name == "tot1" else self.two).tot_ns)
        if name in ("e1", "e2"):
            return (self.one if name == "e1" else self.two).energy_kev
        if name == "dp_px":
            return distance_to_segment(ax, ay, bx, by)
        pixel = g.pixel_um * 1e-6 / g.distance_m
        angle1, angle2 = (math.atan(math.hypot(*at) * pixel) for at in ((ax, ay), (bx, by)))
        assert name == "detuning_deg"
        return math.degrees(angle1 * angle2 / (2 * math.sin(2 * math.radians(g.bragg_deg))))


def distance_to_segment(ax: float, ay: float, bx: float, by: float) -> float:
    """Of the origin, by looking along the segment at its nearest place."""
    length = math.hypot(bx - ax, by - ay)
    if not length:
        return math.hypot(ax, ay)
    ux, uy = (bx - ax) / length, (by - ay) / length
    along = min(max(-(ax * ux + ay * uy), 0.0), length)
    return math.hypot(ax + along * ux, ay + along * uy)


def candidates(photons: list[Photon], recipe: Recipe) -> list[Pair]:
    """Every signal photon with every idler photon in every copy, when they are in the window."""
    low, high = recipe.pairing.photon_kev
    tried = [p for p in photons if low <= p.energy_kev <= high]
    signal = [p for p in tried if p.y >= recipe.geometry.centre_px[1]]
    idler = [p for p in tried if p.y < recipe.geometry.centre_px[1]]
    n = recipe.replicas.n_turns
    pairs = (
        Pair(one, two, turns, recipe)
        for one, two, turns in product(signal, idler, range(-n, n + 1))
    )
    return [pair for pair in pairs if abs(pair.dt_ns) <= recipe.pairing.window_ns]


def selected(
    pairs: list[Pair], recipe: Recipe
) -> tuple[list[Pair], dict[str, int], dict[str, int]]:
    """Pairs that pass all cuts, and prompt and replica ones rejected, by the first cut failed."""
    cuts = recipe.selection.resolved(recipe.geometry).cuts
    prompt = {cut.quantity: 0 for cut in cuts}
    replica = dict(prompt)
    kept = []
    for pair in pairs:
        failed = [c.quantity for c in cuts if not c.low <= pair.quantity(c.quantity) <= c.high]
        if failed:
            (replica if pair.replica else prompt)[failed[0]] += 1
        else:
            kept.append(pair)
    return kept, prompt, replica
