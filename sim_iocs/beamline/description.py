"""The beamline as one YAML file describes it: names, limits, speeds, start values, and the beam."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from sim_iocs.beamline.crystal import CrystalDescription
from twinbeam.parameter_file import read_parameter_file
from twinbeam.parameters import Parameters

__all__ = [
    "MOTOR_ROLES",
    "BeamDescription",
    "BeamlineDescription",
    "CounterDescription",
    "DetectorPlace",
    "FilterDescription",
    "MotorDescription",
    "PairDescription",
    "RingDescription",
    "SampleDescription",
    "TemperatureDescription",
    "load_beamline",
]

#: What the world needs to know the place of; more motors may be described, they only move.
MOTOR_ROLES = (
    "theta", "two_theta", "chi", "phi", "crystal_x", "crystal_y", "crystal_z",
    "detector_x", "detector_y", "detector_z", "sample_x", "sample_y",
    "beam_stop_x", "beam_stop_y", "energy",
    "slit_x_gap", "slit_x_centre", "slit_y_gap", "slit_y_centre",
)  # fmt: skip

_PACKAGED = Path(__file__).with_name("chx.yaml")


class MotorDescription(Parameters):
    """One motor record and the axis behind it, in the units it shows."""

    pv: str = Field(min_length=1, max_length=50, description="Name without the IOC's prefix.")
    alias: str = Field("", max_length=50, description="Second name of the same record.")
    text: str = Field("", max_length=39, description="What it moves, as DESC says it.")
    start: float = Field(0.0, description="Dial position at the start.")
    low: float = Field(description="Low soft limit.")
    high: float = Field(description="High soft limit.")
    overtravel: float = Field(
        1.0, ge=0.0, description="How far beyond the soft limits the limit switches are."
    )
    units: str = Field(max_length=15, description="Units that EGU shows.")
    precision: int = Field(4, ge=0, le=12, description="Digits that are shown.")
    speed: float = Field(1.0, gt=0.0, description="Speed in units a second.")
    acceleration_s: float = Field(0.1, ge=0.0, le=60.0, description="Seconds to full speed.")
    resolution: float = Field(1e-6, gt=0.0, description="Size of a motor step.")
    backlash: float = Field(
        0.0, description="BDST: length and sign of the last part of a move; 0 is none."
    )
    play: float = Field(
        0.0,
        ge=0.0,
        description="Mechanical play: how far the axis lags behind after a move down.",
    )
    home: float = Field(0.0, description="Dial position of the home switch.")

    @model_validator(mode="after")
    def _start_within_limits(self) -> Self:
        if not self.low <= self.start <= self.high:
            raise ValueError(
                f"start {self.start:g} is not within the limits {self.low:g} to {self.high:g}"
            )
        return self


class RingDescription(Parameters):
    """The storage ring."""

    pv: str = Field("SR-BI{DCCT:1}I:", description="What stands before Real-I and Top-SP.")
    alias: str = Field("Ring-I", description="Second name of the current; the set point has -SP.")
    current_ma: float = Field(400.0, ge=0.0, le=1000.0, description="Current aimed at in mA.")
    top_up_period_s: float = Field(
        120.0, gt=0.0, le=1e5, description="Time between two injections in s."
    )
    lifetime_h: float = Field(
        6.7, gt=0.0, le=1000.0, description="Life time of the stored beam in hours."
    )
    dump_s: float = Field(
        30.0, ge=0.0, le=1e5, description="Time without beam after a dump in s; 0 waits for Refill."
    )
    fill_ma_s: float = Field(
        40.0, gt=0.0, le=1e4, description="How fast the ring is filled after that in mA/s."
    )


class FilterDescription(Parameters):
    """Foils that are put into the beam one by one."""

    pv: str = Field("OP{Flt:1", description="What stands before -Foil:1}In-Cmd and so on.")
    material: str = Field("aluminum", description="Material as xraydb knows it.")
    thickness_um: tuple[float, ...] = Field(
        (50.0, 100.0, 200.0, 400.0, 800.0, 1600.0),
        min_length=1,
        max_length=12,
        description="Thickness of each foil in µm.",
    )


class CounterDescription(Parameters):
    """Something that reads an intensity."""

    pv: str = Field(description="What stands before the names of its records.")
    alias: str = Field("", description="What stands before their second names.")


class TemperatureDescription(Parameters):
    """One temperature."""

    pv: str = Field(description="Name of the reading.")
    text: str = Field("", max_length=39, description="What it is the temperature of.")
    celsius: float = Field(description="Mean temperature in °C.")
    swing_c: float = Field(0.1, ge=0.0, description="Amplitude of its slow changes in °C.")
    period_s: float = Field(3600.0, gt=0.0, description="Period of these in s.")


class BeamDescription(Parameters):
    """The beam in front of the slits and what is seen of it."""

    full_flux_hz: float = Field(
        1e11, gt=0.0, le=1e16, description="Photons per second at full current, slits open."
    )
    width_mm: float = Field(0.20, gt=0.0, le=20.0, description="Horizontal FWHM in mm.")
    height_mm: float = Field(0.10, gt=0.0, le=20.0, description="Vertical FWHM in mm.")
    monitor_peak_hz: float = Field(
        1e6, ge=0.0, le=1e9, description="Counts per second of the monitor on the reflection."
    )
    monitor_scatter_hz: float = Field(
        200.0, ge=0.0, le=1e9, description="Its counts per second at full flux off the reflection."
    )
    monitor_dark_hz: float = Field(5.0, ge=0.0, le=1e6, description="Its counts without beam.")
    arm_window_deg: float = Field(
        0.5, gt=0.0, le=45.0, description="Half width of the monitor in 2θ in degrees."
    )


class DetectorPlace(Parameters):
    """Where the Timepix3 is when its motors stand at their start values."""

    pixel_um: float = Field(55.0, gt=1.0, le=500.0, description="Pixel pitch in µm.")
    centre_px: tuple[float, float] = Field(
        (258.0, 258.0), description="Axis of the pair ring on the 514 grid, x and y in pixels."
    )
    stop_half_mm: float = Field(
        5.775, ge=0.0, le=100.0, description="Half side of the square beam stop in mm."
    )


class PairDescription(Parameters):
    """The photon pairs of the published measurement."""

    rate_hz: float = Field(
        2.16667, ge=0.0, le=1e6, description="Pairs per second on the sensor at detuning_deg."
    )
    detuning_deg: float = Field(
        0.040, gt=0.0, le=1.0, description="Pair detuning that rate_hz belongs to in degrees."
    )
    index_shift: bool = Field(
        False,
        description="Whether the refractive index makes the pairs show 1.4 mdeg less detuning "
        "than the goniometer.",
    )


class SampleDescription(Parameters):
    """The mask in the signal half."""

    shape: Literal["none", "spokes", "disc", "edge", "slit", "image"] = Field(
        "spokes", description="Built-in shape, or a picture."
    )
    image: Path | None = Field(None, description="Picture (.png, .npy); white lets all through.")
    width_mm: float = Field(10.0, gt=0.0, le=200.0, description="Width of shape or picture in mm.")
    material: str = Field("tungsten", description="Material as xraydb knows it.")
    thickness_um: float = Field(50.0, ge=0.0, le=1e5, description="Thickness in µm.")

    @model_validator(mode="after")
    def _picture_if_image(self) -> Self:
        if (self.shape == "image") != (self.image is not None):
            raise ValueError("a picture goes with shape 'image', and with no other")
        return self


class BeamlineDescription(Parameters):
    """Everything the beamline IOC serves and simulates."""

    name: str = Field("beamline", description="What the beamline is called.")
    motors: dict[str, MotorDescription] = Field(description="Motor records by what they move.")
    shutter: CounterDescription = Field(description="The photon shutter.")
    ring: RingDescription = Field(RingDescription(), description="The storage ring.")
    filters: FilterDescription = Field(FilterDescription(), description="The attenuators.")
    monitor: CounterDescription = Field(description="Intensity monitor of the diffracted beam.")
    scaler: CounterDescription = Field(description="Scaler record.")
    ion_chamber: CounterDescription = Field(description="Ion chamber in front of the crystal.")
    diode: CounterDescription = Field(description="Diode in the beam stop.")
    mono: CounterDescription = Field(description="What the monochromator tells besides its motor.")
    temperatures: dict[str, TemperatureDescription] = Field({}, description="Temperatures by name.")
    crystal: CrystalDescription = Field(CrystalDescription(), description="The diamond.")
    beam: BeamDescription = Field(BeamDescription(), description="The beam.")
    detector: DetectorPlace = Field(DetectorPlace(), description="The place of the Timepix3.")
    pairs: PairDescription = Field(PairDescription(), description="The photon pairs.")
    sample: SampleDescription = Field(SampleDescription(), description="The sample.")

    @model_validator(mode="after")
    def _all_roles(self) -> Self:
        if missing := [role for role in MOTOR_ROLES if role not in self.motors]:
            raise ValueError(f"motors lacks {', '.join(missing)}")
        names = [name for motor in self.motors.values() for name in (motor.pv, motor.alias) if name]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"motors with the same name: {', '.join(twice)}")
        return self

    def starting_at(self, **starts: float) -> Self:
        """The same beamline with other start values of some motors.

        Raises
        ------
        RecipeError
            If a value is outside the motor's limits.
        """
        values: dict[str, Any] = self.model_dump(mode="python")
        for role, start in starts.items():
            values["motors"][role]["start"] = start
        return type(self).from_mapping(values, where="start values")


def load_beamline(path: str | Path | None = None) -> BeamlineDescription:
    """Read the YAML file of a beamline; without one the file of this package.

    Raises
    ------
    RecipeError
        If the file cannot be read, or says something that cannot be.
    """
    given = Path(path) if path is not None else _PACKAGED
    values: Mapping[str, Any] = read_parameter_file(given, "a beamline is a mapping of groups")
    return BeamlineDescription.from_mapping(values, where=str(given))
