"""What is emitted when: random candidates in fixed blocks of time, whatever the steps asked for.

Each block of whole turns of the ring has its own random numbers, drawn for the full beam. A
candidate belongs to a level of the flux and is used when the flux is higher, so that the beam may
change at any time and the bytes do not depend on how the time is cut.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbeam.errors import RecipeError
from twinbeam.physics import pair_acceptance
from twinbeam.simulate._response_kernel import HOT
from twinbeam.simulate.arrivals import SIDE_PX, Arrivals, inside
from twinbeam.simulate.order import stable_order
from twinbeam.simulate.parameters import SimulationParameters
from twinbeam.simulate.photon_truth import PhotonKind
from twinbeam.simulate.sample import Mask, behind_stop, passes
from twinbeam.tpx3 import CHIP_PIXELS, TOT_STEP_NS, to_sensor

__all__ = ["NOMINAL_DETUNING_DEG", "Emission", "Piece"]

NOMINAL_DETUNING_DEG = 0.040

_BLOCK_CANDIDATES = 30_000
_LONGEST_BLOCK_NS = 250e6
_NOISE_STREAM = 1_000_003
# Lα, Lβ and Lγ of tungsten in keV and their shares
_TUNGSTEN_KEV = np.array([8.398, 9.672, 11.288])
_TUNGSTEN_SHARE = np.array([111.0, 88.0, 13.0]) / 212.0

Table = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Piece:
    """Candidates of a piece of time that lies in one block.

    Attributes
    ----------
    stop_ns
        End of the piece in ns since the shutter opened.
    photons
        Background, dark photons and hits of hot pixels, as tables in order of time.
    pairs
        Tables of pair candidates in order of time.
    """

    stop_ns: float
    photons: list[Arrivals]
    pairs: list[Table]


class _Block:
    """Candidates of one block, handed out once in order of time.

    A column without dimension has the same value in all rows; `keep` says which rows come at all.
    """

    def __init__(self, table: Table, now_ns: float) -> None:
        order = stable_order(table["t_ns"])
        keep = table.pop("keep", None)
        if keep is not None:
            order = order[keep[order]]
        self._table = {
            name: column[..., order] if column.ndim else np.full(order.size, column)
            for name, column in table.items()
        }
        self._at = int(np.searchsorted(self._table["t_ns"], now_ns))

    def take(self, stop_ns: float, flux: float) -> Table:
        """Candidates before a time that have not been taken and are there at a flux."""
        start = self._at
        self._at = int(np.searchsorted(self._table["t_ns"], stop_ns))
        rows = {name: column[..., start : self._at] for name, column in self._table.items()}
        level = rows.pop("level")
        keep = level < flux
        return rows if keep.all() else {n: column[..., keep] for n, column in rows.items()}


class Emission:
    """Random emission of one acquisition.

    Parameters
    ----------
    parameters
        Beam, crystal, sample and sensor.
    seed, acquisition
        What the random numbers belong to.
    hot_pixels
        Rows of x, y on the 512 grid.
    mask
        What stands in place of the opaque spokes, if anything.

    Raises
    ------
    RecipeError
        If there are pairs, and none of them can reach the sensor.
    """

    def __init__(
        self,
        parameters: SimulationParameters,
        seed: int,
        acquisition: int,
        hot_pixels: NDArray[np.int64],
        mask: Mask | None = None,
    ) -> None:
        p = self._p = parameters
        self._mask = mask
        self._entropy = (seed, 1 + acquisition)
        self._hot_pixels = hot_pixels
        self._noise_hz: tuple[float, ...] = ()
        acceptance = _acceptance(p)
        if p.pair_rate_hz and not acceptance:
            raise RecipeError(
                "no pair can reach the sensor with this distance and centre",
                where="simulation parameters",
                hint="give distance_m, centre_px or pair_rate_hz another value",
            )
        self._pairs_hz = p.pair_rate_hz / acceptance if acceptance else 0.0
        self._hot_hz = p.hot.rate_hz * len(hot_pixels)
        rate_hz = p.background_rate_hz + self._pairs_hz + p.dark_rate_hz + self._hot_hz
        length_ns = min(_BLOCK_CANDIDATES / max(rate_hz, 1e-3) * 1e9, _LONGEST_BLOCK_NS)
        self._turns = max(1, round(length_ns / p.turn_ns))
        self._number = 0
        self._blocks: dict[tuple[str, int], _Block] = {}
        self._now_ns = 0.0

    def follow(self, parameters: SimulationParameters, noise_hz: tuple[float, ...] = ()) -> None:
        """Go on with other parameters: what is not handed out yet is drawn anew where they differ.

        The length of the blocks, and so the times of the background, stay those of the start.

        Parameters
        ----------
        parameters
            Those of now.
        noise_hz
            Hits a second that every chip makes by its noise; empty is none.
        """
        if parameters is self._p and noise_hz == self._noise_hz:
            return
        if parameters != self._p or noise_hz != self._noise_hz:
            acceptance = _acceptance(parameters)
            self._pairs_hz = parameters.pair_rate_hz / acceptance if acceptance else 0.0
            self._blocks.clear()
        self._p, self._noise_hz = parameters, noise_hz

    def until(self, stop_ns: float, flux: float) -> Iterator[Piece]:
        """Candidates from where the last call ended to a time in ns, block by block."""
        layers = max(0, math.ceil(flux))
        while self._now_ns < stop_ns:
            end_ns = (self._number + 1) * self._turns * self._p.turn_ns
            piece_ns = min(stop_ns, end_ns)
            photons = [self._block("steady", 0).take(piece_ns, math.inf)]
            if any(self._noise_hz):
                photons.append(self._block("noise", 0).take(piece_ns, math.inf))
            photons += [
                self._block("background", layer).take(piece_ns, flux) for layer in range(layers)
            ]
            pairs = [self._block("pairs", layer).take(piece_ns, flux) for layer in range(layers)]
            self._now_ns = piece_ns
            # what the beam was too weak for is gone
            for (_, layer), block in self._blocks.items():
                if layer >= layers:
                    block.take(piece_ns, flux)
            yield Piece(piece_ns, [Arrivals(**table) for table in photons], pairs)
            if piece_ns >= end_ns:
                self._number += 1
                self._blocks.clear()

    def _block(self, kind: str, layer: int) -> _Block:
        if (kind, layer) not in self._blocks:
            make = {"steady": self._steady, "background": self._background, "pairs": self._pairs}
            stream = list(make).index(kind) + len(make) * layer if kind in make else _NOISE_STREAM
            make["noise"] = self._noise
            rng = np.random.default_rng((*self._entropy, self._number, stream))
            table = make[kind](rng, layer)
            self._blocks[kind, layer] = _Block(table, self._now_ns)
        return self._blocks[kind, layer]

    @property
    def _block_s(self) -> float:
        return self._turns * self._p.turn_ns * 1e-9

    def _times_ns(self, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        """Times of photons in the bunch train during the block."""
        p = self._p
        turn = rng.integers(self._number * self._turns, (self._number + 1) * self._turns, n)
        bucket = rng.integers(0, min(p.filled_buckets, p.buckets), n)
        return (turn + bucket / p.buckets) * p.turn_ns

    def _free_times_ns(self, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        """Times that know nothing of the ring."""
        length_ns = self._turns * self._p.turn_ns
        return (self._number + rng.random(n)) * length_ns

    def _pairs(self, rng: np.random.Generator, layer: int) -> Table:
        n = rng.poisson(self._pairs_hz * self._block_s)
        return {
            "t_ns": self._times_ns(rng, n),
            "level": layer + rng.random(n),
            "fraction": rng.random(n),
            "azimuth": rng.random(n),
            "spread": rng.standard_normal(n),
            "depth": rng.random((2, n)),
            "jitter": rng.standard_normal((2, n)),
            "key": rng.integers(0, 2**64, (2, n), dtype=np.uint64),
        }

    def _background(self, rng: np.random.Generator, layer: int) -> Table:
        """Photons that the silicon stops and that have no twin."""
        p = self._p
        n = rng.poisson(p.background_rate_hz * self._block_s)
        t = self._times_ns(rng, n)
        x, y = rng.uniform(-0.5, SIDE_PX - 0.5, (2, n))
        scattered = rng.random(n) < p.scattered_fraction
        spread = p.scattered_sigma_px * rng.standard_normal((2, np.count_nonzero(scattered)))
        x[scattered] = p.centre_px[0] + spread[0]
        y[scattered] = p.centre_px[1] + spread[1]
        energy = np.array(p.pump_kev)
        kind = np.array(PhotonKind.ELASTIC, dtype=np.uint8)
        if p.fluorescence_fraction:
            kind = np.full(n, kind)
            kind[rng.random(n) < p.fluorescence_fraction] = PhotonKind.FLUORESCENCE
            line = np.searchsorted(np.cumsum(_TUNGSTEN_SHARE)[:-1], rng.random(n))
            energy = np.where(kind == PhotonKind.FLUORESCENCE, _TUNGSTEN_KEV[line], energy)
        table = {
            **_single(rng, t, x, y, energy, kind),
            "level": layer + rng.random(n),
            "keep": inside(x, y) & ~behind_stop(x, y, p),
        }
        comes = np.flatnonzero(table["keep"])
        each = energy[comes] if energy.ndim else energy
        key = table["key"][comes]
        table["keep"][comes] = passes(x[comes], y[comes], each, key, p, self._mask)
        return table

    def _steady(self, rng: np.random.Generator, layer: int) -> Table:
        """Dark photons and hits of hot pixels, which need no beam."""
        p = self._p
        n_dark, n_hot = rng.poisson((p.dark_rate_hz * self._block_s, self._hot_hz * self._block_s))
        pixel = rng.integers(0, max(len(self._hot_pixels), 1), n_hot)
        hot = self._hot_pixels[pixel] if n_hot else np.empty((0, 2))
        dark = rng.uniform(-0.5, SIDE_PX - 0.5, (2, n_dark))
        table = _single(
            rng,
            np.concatenate((self._times_ns(rng, n_dark), self._free_times_ns(rng, n_hot))),
            np.concatenate((dark[0], hot[:, 0])),
            np.concatenate((dark[1], hot[:, 1])),
            np.repeat((p.pump_kev, p.hot.tot_ns / TOT_STEP_NS), (n_dark, n_hot)),
            np.repeat(np.array((PhotonKind.DARK, HOT), dtype=np.uint8), (n_dark, n_hot)),
        )
        table["jitter"][n_dark:] = 0.0
        return {**table, "level": np.zeros(n_dark + n_hot)}

    def _noise(self, rng: np.random.Generator, layer: int) -> Table:
        """Hits of single pixels without a photon, of one step or two."""
        each = rng.poisson(np.array(self._noise_hz) * self._block_s)
        n = int(each.sum())
        column, row = rng.integers(0, CHIP_PIXELS, (2, n))
        chip = np.repeat(np.arange(each.size), each)
        x, y = (place.astype(np.float64) for place in to_sensor(chip, column, row))
        steps = rng.integers(1, 3, n).astype(np.float64)
        kind = np.full(n, HOT, dtype=np.uint8)
        table = _single(rng, self._free_times_ns(rng, n), x, y, steps, kind)
        table["jitter"][:] = 0.0
        return {**table, "level": np.zeros(n)}


@functools.lru_cache(maxsize=64)
def _share_on_sensor(
    bragg_deg: float, distance_m: float, pixel_um: float, centre_px: tuple[float, float]
) -> float:
    return pair_acceptance(
        NOMINAL_DETUNING_DEG, bragg_deg, distance_m, pixel_um, centre_px, float(SIDE_PX)
    )


def _acceptance(p: SimulationParameters) -> float:
    """Share of the pairs at the nominal detuning that have both photons on the sensor."""
    return _share_on_sensor(p.bragg_deg, p.distance_m, p.pixel_um, p.centre_px)


def _single(
    rng: np.random.Generator,
    t_ns: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    energy_kev: NDArray[np.float64],
    kind: NDArray[np.uint8],
) -> Table:
    """Columns of `Arrivals` for photons that have no twin and that the silicon stops."""
    n = t_ns.size
    return {
        "t_ns": t_ns,
        "x": x,
        "y": y,
        "energy_kev": energy_kev,
        "kind": kind,
        "converts": np.array(True),
        "jitter": rng.standard_normal(n),
        "key": rng.integers(0, 2**64, n, dtype=np.uint64),
        "pair": np.array(-1),
    }
