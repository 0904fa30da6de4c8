"""Limits within which the detector may be used, and what is outside them now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from pydantic import Field, model_validator

from twinbeam.devices.cam import TimePix3Cam
from twinbeam.errors import BeamlineError
from twinbeam.parameters import Parameters

__all__ = ["Guards"]

_STATES = ("false", "true")


class Guards(Parameters):
    """Limits for temperatures, humidity and bias voltage; staging refuses outside them."""

    max_temperature_c: float = Field(
        60.0, ge=-50.0, le=150.0, description="Highest temperature of the board, in degrees C."
    )
    max_fpga_temperature_c: float = Field(
        80.0, ge=-50.0, le=150.0, description="Highest temperature of the FPGA, in degrees C."
    )
    max_chip_temperature_c: float = Field(
        80.0, ge=-50.0, le=150.0, description="Highest temperature of a chip, in degrees C."
    )
    max_humidity_percent: float = Field(
        80.0, ge=0.0, le=100.0, description="Highest relative humidity, in percent."
    )
    min_bias_v: float = Field(
        0.0, ge=0.0, le=140.0, description="Lowest bias voltage measured, in volts."
    )
    max_bias_v: float = Field(
        140.0, ge=0.0, le=140.0, description="Highest bias voltage measured, in volts."
    )
    bias_tolerance_v: float = Field(
        10.0,
        gt=0.0,
        le=140.0,
        description="How far the measured bias may be from the set one while it is on, in volts.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_bias_v > self.max_bias_v:
            raise ValueError(
                f"min_bias_v {self.min_bias_v:g} is above max_bias_v {self.max_bias_v:g}"
            )
        return self

    def problems(self, cam: TimePix3Cam, *, chips: bool = True) -> list[BeamlineError]:
        """Everything that is outside its limits, an error each.

        Parameters
        ----------
        cam
            The driver, connected.
        chips
            Whether the chips' temperatures are asked for too, which takes a moment.
        """
        return [
            *self._temperatures(cam, chips),
            *self._humidity(cam),
            *self._bias(cam),
        ]

    def check(self, cam: TimePix3Cam) -> None:
        """Make sure that all is within its limits.

        Raises
        ------
        BeamlineError
            Naming process variable, value and limit of all that is not, and what to do about it.
        """
        found = self.problems(cam)
        if not found:
            return
        first, *others = found
        what = "; ".join([first.what, *(f"{other.where} {other.what}" for other in others)])
        raise BeamlineError(what, where=first.where, hint=first.hint)

    def _temperatures(self, cam: TimePix3Cam, chips: bool) -> Iterator[BeamlineError]:
        limits = [
            (cam.temperature, "board temperature", self.max_temperature_c),
            (cam.fpga_temperature, "FPGA temperature", self.max_fpga_temperature_c),
        ]
        if chips:
            limits += [
                (chip.temperature, "chip temperature", self.max_chip_temperature_c)
                for chip in cam.recorded_chips()
            ]
        for signal, what, limit in limits:
            if not (value := float(signal.get())) <= limit:  # not a number is no good either
                yield _outside(
                    signal,
                    f"{what} is {value:g} C, above the limit of {limit:g} C",
                    "check the cooling water and the fans, and let the detector cool down",
                )

    def _humidity(self, cam: TimePix3Cam) -> Iterator[BeamlineError]:
        value = float(cam.humidity.get())
        if not value <= self.max_humidity_percent:
            yield _outside(
                cam.humidity,
                f"humidity is {value:g} %, above the limit of {self.max_humidity_percent:g} %",
                "check the flow of dry gas through the detector, and wait",
            )

    def _bias(self, cam: TimePix3Cam) -> Iterator[BeamlineError]:
        value = float(cam.bias_measured_v.get())
        if not value >= self.min_bias_v:
            yield _outside(
                cam.bias_measured_v,
                f"bias voltage is {value:g} V, below the limit of {self.min_bias_v:g} V",
                "set BiasVolt and switch BiasEnbl on",
            )
        if value > self.max_bias_v:
            yield _outside(
                cam.bias_measured_v,
                f"bias voltage is {value:g} V, above the limit of {self.max_bias_v:g} V",
                "set BiasVolt lower",
            )
        wanted = float(cam.bias_set_v.get())
        if _is_on(cam.bias_on) and abs(value - wanted) > self.bias_tolerance_v:
            yield _outside(
                cam.bias_measured_v,
                f"bias voltage is {value:g} V, more than {self.bias_tolerance_v:g} V from the"
                f" {wanted:g} V that are set",
                "wait until it has ramped; if it stays, look for a trip or a broken cable",
            )


def _is_on(signal: Any) -> bool:
    """What a switch says; asked again where the value that was told is no state of it."""
    words = str(signal.get()).lower()
    if words not in _STATES:
        words = str(signal.get(use_monitor=False)).lower()
    return words != "false"


def _outside(signal: Any, what: str, hint: str) -> BeamlineError:
    return BeamlineError(
        what, where=signal.pvname, hint=f"{hint}; limits are in the detector's guards"
    )
