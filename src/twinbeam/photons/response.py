"""Energy and timewalk of a hit, tabulated for the pass over the hits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbeam.errors import RecipeError
from twinbeam.parameters import FileReference, read_arrays
from twinbeam.photons.parameters import ColumnOffset, Response
from twinbeam.physics import energy_from_tot_kev, timewalk_ns
from twinbeam.physics.timewalk import timewalk_pole_ns
from twinbeam.tpx3 import SENSOR_PIXELS, TICK_NS, TOT_STEP_NS, to_sensor

__all__ = [
    "ENERGY_STEPS_PER_KEV",
    "TIME_STEPS_PER_TICK",
    "ResponseTables",
    "column_offset_table",
    "energy_by_tot_kev",
    "walk_by_tot_ticks",
]

TIME_STEPS_PER_TICK = 16
ENERGY_STEPS_PER_KEV = 1 << 16  # whole numbers, so that sums do not depend on their order
TOT_VALUES = 1024
LEAST_STEPS = 66  # 1 eV
MOST_STEPS = 1 << 30  # 16 MeV
LARGEST_WALK_NS = 1000.0


@dataclass(frozen=True, eq=False)
class ResponseTables:
    """What the pass over the hits looks up.

    Attributes
    ----------
    energy
        Energy of each of the 1024 ToT values, in steps of 1/65536 keV.
    walk
        Timewalk of each ToT value in steps of 1/16 tick.
    per_pixel
        a, b, c, t of each pixel, [y, x, parameter], or no rows when all share one response.
    walk_pole
        c in ns·keV, t in keV and d in ns of the pole form; no entries for the exponential form.
    largest_walk_ticks
        No hit is moved back in time by more.
    """

    energy: NDArray[np.int32]
    walk: NDArray[np.int32]
    per_pixel: NDArray[np.float64]
    walk_pole: NDArray[np.float64]
    largest_walk_ticks: float

    @classmethod
    def of(cls, response: Response) -> ResponseTables:
        """Tables of a response.

        Raises
        ------
        RecipeError
            If the file of per-pixel values cannot be read or is not 512 × 512 × 4.
        """
        pole = response.walk == "pole"
        per_pixel = np.empty((0, 0, 4))
        if response.per_pixel is not None:
            per_pixel = _read_per_pixel(response.per_pixel, response)
        walk = walk_by_tot_ticks(response)
        largest = float(walk.max())
        if pole and per_pixel.size:
            largest = LARGEST_WALK_NS / TICK_NS
        return cls(
            energy=np.round(energy_by_tot_kev(response) * ENERGY_STEPS_PER_KEV).astype(np.int32),
            walk=np.round(walk * TIME_STEPS_PER_TICK).astype(np.int32),
            per_pixel=per_pixel,
            walk_pole=np.array(
                [response.walk_c_ns_kev, response.walk_t_kev, response.walk_d_ns] if pole else []
            ),
            largest_walk_ticks=max(largest, 0.0),
        )


def energy_by_tot_kev(response: Response) -> NDArray[np.float64]:
    """Energy in keV of each of the 1024 ToT values of 25 ns, in steps of 1/65536 keV.

    At least 1 eV: every hit has a weight in the centroid, also where a linear response gives none.
    """
    tot = np.arange(TOT_VALUES) * TOT_STEP_NS
    energy = energy_from_tot_kev(
        tot, response.a_ns_per_kev, response.b_ns, response.c_ns_kev, response.t_kev
    )
    steps = np.floor(energy * ENERGY_STEPS_PER_KEV + 0.5)
    return np.clip(steps, LEAST_STEPS, MOST_STEPS) / ENERGY_STEPS_PER_KEV


def walk_by_tot_ticks(response: Response) -> NDArray[np.float64]:
    """Timewalk of each of the 1024 ToT values, in ticks rounded to the time grid of photons."""
    if response.walk == "pole":
        walk = timewalk_pole_ns(
            energy_by_tot_kev(response),
            response.walk_c_ns_kev,
            response.walk_t_kev,
            response.walk_d_ns,
        )
    else:
        tot = np.arange(TOT_VALUES) * TOT_STEP_NS
        walk = timewalk_ns(tot, response.timewalk_ns, response.timewalk_decay_per_ns)
    ticks = np.clip(walk, -LARGEST_WALK_NS, LARGEST_WALK_NS) / TICK_NS
    return np.floor(ticks * TIME_STEPS_PER_TICK + 0.5) / TIME_STEPS_PER_TICK


def column_offset_table(offsets: tuple[ColumnOffset, ...]) -> NDArray[np.int16]:
    """Ticks to subtract by upper half (y ≥ 256) and x; no rows when there are no offsets."""
    if not offsets:
        return np.empty((0, SENSOR_PIXELS), np.int16)
    table = np.zeros((2, SENSOR_PIXELS), np.int16)
    for offset in offsets:
        columns = np.arange(2 * offset.first, 2 * offset.last + 2)
        x, y = to_sensor(np.full(columns.size, offset.chip), columns, np.zeros_like(columns))
        table[(y >= SENSOR_PIXELS // 2).astype(np.intp), x] = offset.ticks
    return table


def _read_per_pixel(reference: FileReference, response: Response) -> NDArray[np.float64]:
    """The table of a file, whose axes are [x, y, parameter], as [y, x, parameter]."""
    arrays = read_arrays(reference)
    if set(arrays) != {""}:
        raise RecipeError("a table of per-pixel responses is an npy file", where=reference.path)
    table = arrays[""]
    if table.shape != (SENSOR_PIXELS, SENSOR_PIXELS, 4) or table.dtype.kind != "f":
        raise RecipeError(
            f"a table of per-pixel responses has 512 x 512 x 4 floats, not {table.shape} of"
            f" {table.dtype}",
            where=reference.path,
        )
    table = np.ascontiguousarray(table.transpose(1, 0, 2), dtype=np.float64)
    # the bounds of `Response`: pixels beyond them keep the common values
    low, high = np.array([1e-3, -1e4, 0.0, -50.0]), np.array([1e3, 1e4, 1e5, 50.0])
    with np.errstate(invalid="ignore"):
        sound = ((table >= low) & (table <= high)).all(axis=2)
    table[~sound] = (response.a_ns_per_kev, response.b_ns, response.c_ns_kev, response.t_kev)
    return table
