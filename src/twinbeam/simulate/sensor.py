"""Photons → hits, on a sensor with its fixed pattern of pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twinbeam.errors import RecipeError
from twinbeam.physics import silicon_efficiency, timewalk_ns
from twinbeam.simulate import _response_kernel as kernel
from twinbeam.simulate.arrivals import Arrivals
from twinbeam.simulate.keyed import keyed_uniform
from twinbeam.simulate.parameters import SimulationParameters
from twinbeam.simulate.sensor_state import (
    SensorState,
    cloud_factor,
    depleted_um,
    drift_delay_ns,
    on_quadrants,
)
from twinbeam.tpx3 import SENSOR_PIXELS, TICK_NS, TOT_STEP_NS, to_sensor

__all__ = ["Sensor", "SensorHits"]

_SHAPE = (SENSOR_PIXELS, SENSOR_PIXELS)
# number of the draw for the depth, which the kernel and the sample do not take
_DEPTH_DRAW = 28
_LEAST_THRESHOLD_KEV = 0.1


@dataclass(frozen=True)
class SensorHits:
    """Hits of one piece of time.

    Attributes
    ----------
    row
        Row of the arrival that left the hit.
    leaves
        Tick since the shutter opened at which the hit leaves its pixel.
    t
        Tick on the clock of the detector.
    x, y, tot_ns
        Pixel on the 512 grid and ToT in ns.
    n_hits
        Hits of every arrival.
    lost
        Hits that fell on a busy pixel.
    """

    row: NDArray[np.int64]
    leaves: NDArray[np.int64]
    t: NDArray[np.int64]
    x: NDArray[np.int64]
    y: NDArray[np.int64]
    tot_ns: NDArray[np.int64]
    n_hits: NDArray[np.uint8]
    lost: int


class Sensor:
    """A silicon sensor on a Timepix3 quad."""

    def __init__(self, parameters: SimulationParameters, seed: int) -> None:
        p = self._parameters = parameters
        rng = np.random.default_rng((seed, 0))
        if p.response_table is None:
            self._abct = np.array(p.tot_abct, dtype=np.float32).reshape(1, 1, 4)
            spread = rng.standard_normal(_SHAPE)
            self._gain = np.maximum(1.0 + p.gain_spread * spread, 0.01).astype(np.float32)
        else:
            self._abct = _read_table(p.response_table)
            self._gain = np.ones(_SHAPE, dtype=np.float32)
        places = rng.permutation(SENSOR_PIXELS**2)
        self.hot_pixels = _places(places[: p.hot.count])
        self.dead_pixels = _places(places[::-1][: p.dead_pixels])
        for x, y in (*p.masked_pixels, *self.dead_pixels):
            if not (0 <= x < SENSOR_PIXELS and 0 <= y < SENSOR_PIXELS):
                raise RecipeError(f"no pixel ({x}, {y}) on the sensor", where="masked_pixels")
            self._gain[y, x] = 0.0
        self._late = _late_ticks(p)
        self.state = SensorState()
        steps = np.arange(kernel.LONGEST_STEPS + 1)
        self._walk_ns = timewalk_ns(steps * TOT_STEP_NS, p.timewalk_ns, p.timewalk_decay_per_ns)
        self.start_tick = clock_ticks(p.clock_start_s)
        self.reset()

    def reset(self) -> None:
        """No pixel is busy."""
        self._busy = np.full(_SHAPE, np.iinfo(np.int64).min)
        self._buffers = [np.empty(0, dtype=np.int64)] * 6

    def respond(self, arrivals: Arrivals) -> SensorHits:
        """Hits of arrivals in order of time, later than all before."""
        p, state = self._parameters, self.state
        room = kernel.MOST_HITS * len(arrivals)
        if room > self._buffers[0].size:
            self._buffers = [np.empty(room, dtype=np.int64) for _ in range(6)]
        n_hits = np.empty(len(arrivals), dtype=np.uint8)
        shift = on_quadrants(np.array(state.threshold_shift_kev))
        delay_ns = drift_delay_ns(state.bias_v, p.sensor_um)
        n, lost = kernel.respond(
            arrivals.t_ns + (delay_ns + p.jitter_ns * arrivals.jitter),
            arrivals.x,
            arrivals.y,
            arrivals.energy_kev,
            arrivals.kind,
            self._collected(arrivals),
            arrivals.key,
            self._abct,
            self._gain,
            self._late,
            self._busy,
            p.cloud_um * cloud_factor(state.bias_v) / p.pixel_um,
            p.resolution_kev,
            np.maximum(p.threshold_kev + shift, _LEAST_THRESHOLD_KEV),
            shift,
            self._walk_ns,
            round(p.dead_time_ns / TICK_NS),
            p.readout_delay_ns / TICK_NS,
            self.start_tick,
            n_hits,
            *self._buffers,
        )
        row, leaves, t, x, y, tot = (buffer[:n].copy() for buffer in self._buffers)
        return SensorHits(row, leaves, t, x, y, tot, n_hits, lost)

    def _collected(self, arrivals: Arrivals) -> NDArray[np.bool_]:
        """Which photons convert where there is a field; the other end has none at a low bias."""
        sensor_um = self._parameters.sensor_um
        dead_um = sensor_um - depleted_um(self.state.bias_v, sensor_um)
        if dead_um <= 0.0:
            return arrivals.converts
        lost = silicon_efficiency(arrivals.energy_kev, dead_um) / np.maximum(
            silicon_efficiency(arrivals.energy_kev, sensor_um), 1e-300
        )
        is_photon = arrivals.kind != kernel.HOT
        keep: NDArray[np.bool_] = keyed_uniform(arrivals.key, _DEPTH_DRAW) >= lost
        return arrivals.converts & (keep | ~is_photon)


def clock_ticks(seconds: float) -> int:
    """Ticks of a reading of the clock, a whole number of its steps of 25 ns."""
    return 16 * round(seconds * 1e9 / (16 * TICK_NS))


def _places(places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of x, y of places counted along the rows of the sensor."""
    return np.stack([places % SENSOR_PIXELS, places // SENSOR_PIXELS], axis=1)


def _late_ticks(p: SimulationParameters) -> NDArray[np.int16]:
    late = np.zeros(_SHAPE, dtype=np.int16)
    for columns in p.late_columns:
        column, row = np.meshgrid(
            np.arange(2 * columns.first, 2 * columns.last + 2), np.arange(SENSOR_PIXELS // 2)
        )
        x, y = to_sensor(np.full(column.shape, columns.chip), column, row)
        late[y, x] += columns.ticks
    return late


def _read_table(path: Path) -> NDArray[np.float32]:
    """Per-pixel response, [y, x, parameter], from a file of numpy with [x, y, parameter].

    Raises
    ------
    RecipeError
        If the file cannot be read or is no such table.
    """
    try:
        table = np.load(path, allow_pickle=False)
        if isinstance(table, np.lib.npyio.NpzFile):
            with table:
                if len(table.files) != 1:
                    raise ValueError(f"{len(table.files)} arrays in it, one is wanted")
                table = table[table.files[0]]
    except (OSError, ValueError, EOFError) as error:
        raise RecipeError(f"no readable response table: {error}", where=str(path)) from error
    if table.shape != (*_SHAPE, 4) or not np.issubdtype(table.dtype, np.floating):
        raise RecipeError(
            f"a response table has the shape (512, 512, 4), got {table.shape} of {table.dtype}",
            where=str(path),
        )
    if not np.isfinite(table).all():
        raise RecipeError("the response table holds values that are no numbers", where=str(path))
    return np.ascontiguousarray(table.transpose(1, 0, 2), dtype=np.float32)
