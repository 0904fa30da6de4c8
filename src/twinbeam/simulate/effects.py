"""Parameter groups of single effects of the detector: noisy pixels, late columns, TDC edges."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from twinbeam.parameters import Parameters

__all__ = ["HotPixels", "LateColumns", "TdcSignal"]


class HotPixels(Parameters):
    """Pixels that fire by themselves, at places drawn once for a seed."""

    count: int = Field(0, ge=0, le=10_000, description="Number of hot pixels.")
    rate_hz: float = Field(
        1000.0,
        ge=0.0,
        le=1e6,
        description="Hits per second of each hot pixel, before its dead time.",
    )
    tot_ns: int = Field(
        200, ge=25, le=25_550, multiple_of=25, description="ToT of their hits in ns."
    )


class LateColumns(Parameters):
    """Neighbouring double columns of a chip whose clock is off: the railroad effect."""

    chip: int = Field(0, ge=0, le=3, description="Chip of the quad.")
    first: int = Field(97, ge=0, le=127, description="First double column of the chip.")
    last: int = Field(101, ge=0, le=127, description="Last double column of the chip.")
    ticks: int = Field(
        16, ge=-64, le=64, description="How late their hits are stamped, in ticks of 1.5625 ns."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"last double column {self.last} is before the first {self.first}")
        return self


class TdcSignal(Parameters):
    """A regular pulse on one of the two TDC inputs."""

    rate_hz: float = Field(0.0, ge=0.0, le=1e6, description="Pulses per second; 0 is no signal.")
    channel: Literal["1", "2"] = Field(
        "1", description="Input of the detector that gets the pulses."
    )
    width_us: float = Field(
        0.0,
        ge=0.0,
        le=1e6,
        description="Length of a pulse in µs, at whose end a falling edge is sent; 0 sends rising "
        "edges only.",
    )

    @model_validator(mode="after")
    def _fits_between_pulses(self) -> Self:
        if self.rate_hz * self.width_us * 1e-6 >= 1.0:
            raise ValueError(
                f"a pulse of width_us {self.width_us:g} is longer than the period of rate_hz "
                f"{self.rate_hz:g}"
            )
        return self
