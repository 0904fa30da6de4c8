"""What the simulated experiment looks like."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from twinbeam.parameters import Parameters

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
    sample: Literal["none", "spokes"] = Field(
        "spokes",
        description="Absorbing mask in the upper half: none, or opaque spokes around the axis.",
    )
    n_spokes: int = Field(4, ge=1, le=30, description="Number of opaque spokes in the half plane.")
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
        0.03, ge=0.0, le=0.5, description="Relative standard deviation of the gain over pixels."
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
    sensor_um: float = Field(300.0, gt=10.0, le=5000.0, description="Sensor thickness in µm.")
    turn_ns: float = Field(2641.69, gt=100.0, le=1e5, description="Ring revolution time in ns.")
    buckets: int = Field(1320, ge=1, le=10000, description="RF buckets of the ring.")
    filled_buckets: int = Field(1000, ge=1, le=10000, description="Leading buckets with electrons.")
    global_time_s: float = Field(
        0.1, gt=0.0, le=10.0, description="Interval of the global-time words in seconds."
    )
