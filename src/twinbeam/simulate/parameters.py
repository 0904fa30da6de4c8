"""What the simulated experiment looks like."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from twinbeam.parameters import Parameters
from twinbeam.simulate.effects import HotPixels, LateColumns, TdcSignal

__all__ = ["SimulationParameters"]


class SimulationParameters(Parameters):
    """Beam, crystal, sample, sensor and read-out of the simulated experiment."""

    pair_rate_hz: float = Field(
        200.0,
        ge=0.0,
        le=1e6,
        description="Pairs per second with both photons on the sensor at 0.040° detuning and full "
        "flux, before sample and sensor efficiency.",
    )
    background_rate_hz: float = Field(
        2e4,
        ge=0.0,
        le=1e8,
        description="Background photons per second at full flux that the sensor would stop without "
        "the sample.",
    )
    dark_rate_hz: float = Field(
        20.0, ge=0.0, le=1e6, description="Detected photons per second without beam."
    )
    pump_kev: float = Field(15.0, gt=5.0, le=40.0, description="Energy of the pump in keV.")
    bragg_deg: float = Field(11.576, gt=1.0, lt=80.0, description="True Bragg angle in degrees.")
    distance_m: float = Field(0.494, gt=0.01, le=20.0, description="Crystal to sensor in metres.")
    pixel_um: float = Field(55.0, gt=1.0, le=500.0, description="Pixel pitch in micrometres.")
    centre_px: tuple[float, float] = Field(
        (258.0, 258.0), description="Axis of the pair ring on the 514 grid, x and y in pixels."
    )
    detuning_spread_mdeg: float = Field(
        1.4, ge=0.0, le=20.0, description="Standard deviation of the pair detuning in mdeg."
    )
    scattered_fraction: float = Field(
        0.3,
        ge=0.0,
        le=1.0,
        description="Share of the background that is scattered around the ring axis; the rest is "
        "uniform.",
    )
    scattered_sigma_px: float = Field(
        110.0, gt=1.0, le=1000.0, description="Width of the scattered background in pixels."
    )
    fluorescence_fraction: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        description="Share of the background that is tungsten L fluorescence (8.398, 9.672 and "
        "11.288 keV) of beam stop and mask; the rest has the energy of the pump.",
    )
    sample: Literal["none", "spokes"] = Field(
        "spokes",
        description="Absorbing mask in the upper half: none, or opaque spokes around the axis.",
    )
    sample_offset_px: tuple[float, float] = Field(
        (0.0, 0.0), description="Middle of the sample from the ring axis, x and y in pixels."
    )
    n_spokes: int = Field(4, ge=1, le=30, description="Number of opaque spokes in the half plane.")
    beam_stop_px: float = Field(
        0.0,
        ge=0.0,
        le=1000.0,
        description="Half side in pixels of a square beam stop around the ring axis, behind which "
        "nothing comes; 105 in the published measurement. 0 is none.",
    )
    jitter_ns: float = Field(
        12.7, ge=0.0, le=200.0, description="Standard deviation of a photon's time in ns."
    )
    timewalk_ns: float = Field(167.0, ge=0.0, le=1e3, description="Timewalk at zero ToT in ns.")
    timewalk_decay_per_ns: float = Field(
        0.016, gt=0.0, le=1.0, description="Decay of the timewalk with ToT in 1/ns."
    )
    tot_abct: tuple[float, float, float, float] = Field(
        (25.77, 170.0, 150.0, 2.0),
        description="Response ToT = aE + b - c/(E - t): a ns/keV, b ns, c ns·keV, t keV.",
    )
    gain_spread: float = Field(
        0.03,
        ge=0.0,
        le=0.5,
        description="Relative standard deviation of the gain over pixels; about 0.18 pooled over a "
        "real quad.",
    )
    response_table: Path | None = Field(
        None,
        description="File (.npy, or .npz with one array) of a, b, c, t of every pixel, indexed "
        "[x, y, parameter]; takes the place of tot_abct and gain_spread.",
    )
    resolution_kev: float = Field(
        0.6, ge=0.0, le=5.0, description="Standard deviation of a 7.5 keV hit's energy in keV."
    )
    cloud_um: float = Field(
        10.0, ge=0.1, le=100.0, description="Radius (σ) of the charge cloud at the pixels in µm."
    )
    threshold_kev: float = Field(
        3.0, gt=0.0, le=50.0, description="Pixel threshold in keV; above the t of the response."
    )
    dead_time_ns: float = Field(
        475.0,
        ge=0.0,
        le=1e6,
        description="Time in ns after the end of its ToT during which a pixel misses hits.",
    )
    hot: HotPixels = Field(HotPixels(), description="Pixels that fire by themselves.")
    dead_pixels: int = Field(
        0, ge=0, le=262_144, description="Number of pixels that never fire, drawn for a seed."
    )
    masked_pixels: tuple[tuple[int, int], ...] = Field(
        (), description="Pixels switched off, as (x, y) on the 512 grid; also when they are hot."
    )
    late_columns: tuple[LateColumns, ...] = Field(
        (), description="Double columns whose hits are stamped late."
    )
    sensor_um: float = Field(300.0, gt=10.0, le=5000.0, description="Sensor thickness in µm.")
    turn_ns: float = Field(2641.69, gt=100.0, le=1e5, description="Ring revolution time in ns.")
    buckets: int = Field(1320, ge=1, le=10000, description="RF buckets of the ring.")
    filled_buckets: int = Field(1000, ge=1, le=10000, description="Leading buckets with electrons.")
    serval: Literal["2", "3.2", "4.3"] = Field(
        "4.3",
        description="Generation of the read-out software. 2: no packet ids, shutter words or "
        "heartbeats, TDC edges on chip 0 only. 3.2: all of them but the word of the closing "
        "shutter, TDC edges on all chips. 4.3: that word, too.",
    )
    clock_start_s: float = Field(
        0.0,
        ge=0.0,
        le=1e7,
        description="Reading of the detector's clock in s when the shutter opens; the counters of "
        "the pixels roll over every 26.8 s.",
    )
    stale_clock_s: float | None = Field(
        None,
        ge=0.0,
        le=1e7,
        description="With a T0 reset: reading in s of the clock before it, given by words that "
        "stand at the beginning of the stream. None: there was no reset.",
    )
    global_time_s: float = Field(
        0.1, gt=0.0, le=10.0, description="Interval of the global-time words in seconds."
    )
    heartbeat_s: float = Field(
        1.0, gt=0.0, le=100.0, description="Interval of the heartbeat words in seconds."
    )
    tdc: TdcSignal = Field(TdcSignal(), description="Pulses on a TDC input.")
    chip_turn_us: float = Field(
        500.0,
        ge=20.0,
        le=5000.0,
        description="How long in µs a chip collects hits before they are sent together; hits of "
        "different chips are out of order by up to twice this.",
    )
    readout_delay_ns: float = Field(
        0.0,
        ge=0.0,
        le=1e4,
        description="Mean in ns of an exponential delay between the end of a hit's ToT and its "
        "leaving the chip; disorder within a chip beyond that of the ToT.",
    )
    chunk_words: int = Field(
        1120, ge=8, le=8191, description="Most words in a chunk; 1120 fill a jumbo packet."
    )
