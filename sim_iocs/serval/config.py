"""The detector configuration as Serval holds it, and what it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sim_iocs.serval.values import Wrong, boolean, choice, integer, number, strings

__all__ = [
    "AUTOMATIC",
    "CHAIN_MODES",
    "CONTINUOUS",
    "POLARITIES",
    "TDC_EDGES",
    "TRIGGER_MODES",
    "DetectorConfig",
]

CONTINUOUS = "CONTINUOUS"
AUTOMATIC = "AUTOTRIGSTART_TIMERSTOP"
TRIGGER_MODES = (
    "PEXSTART_NEXSTOP",
    "NEXSTART_PEXSTOP",
    "PEXSTART_TIMERSTOP",
    "NEXSTART_TIMERSTOP",
    AUTOMATIC,
    CONTINUOUS,
    "SOFTWARESTART_TIMERSTOP",
    "SOFTWARESTART_SOFTWARESTOP",
    "FOLLOWING",
)
CHAIN_MODES = ("NONE", "LEADER", "FOLLOWER")
POLARITIES = ("Positive", "Negative")
TDC_EDGES = ("P0123", "N0123", "PN0123", "P0", "N0", "PN0")
# The real one takes far less; a slice of simulated time costs about as much as this.
LEAST_EXPOSURE_S = 1e-3


@dataclass(frozen=True)
class DetectorConfig:
    """Settings of `/detector/config`."""

    trigger_mode: str = CONTINUOUS
    exposure_s: float = 0.5
    period_s: float = 0.5
    n_triggers: int = 1_000_000_000
    trigger_delay_s: float = 0.0
    trigger_in: int = 0
    trigger_out: int = 0
    bias_v: float = 0
    bias_on: bool = False
    polarity: int = 0
    chain_mode: int = 0
    global_time_s: float = 0.0
    external_clock: bool = False
    log_level: int = 0
    clock_80mhz: bool = False
    tdc: tuple[str, str] = ("P0123", "P0123")
    fan1_pwm: int = 100
    fan2_pwm: int = 100

    def problem(self) -> str | None:
        """What Serval would refuse, in words, or None."""
        if self.trigger_mode not in TRIGGER_MODES:
            return f"TriggerMode '{self.trigger_mode}' is none of {', '.join(TRIGGER_MODES)}"
        bounds = (
            ("ExposureTime", self.exposure_s, LEAST_EXPOSURE_S, 10.0),
            ("TriggerPeriod", self.period_s, 0.0, 50.0),
            ("TriggerDelay", self.trigger_delay_s, 0.0, 1.0),
            ("BiasVoltage", self.bias_v, 0, 140),
            ("nTriggers", self.n_triggers, 0, 2**31 - 1),
            ("TriggerIn", self.trigger_in, 0, 6),
            ("TriggerOut", self.trigger_out, 0, 6),
            ("LogLevel", self.log_level, 0, 2),
            ("Fan1PWM", self.fan1_pwm, 0, 100),
            ("Fan2PWM", self.fan2_pwm, 0, 100),
        )
        for name, value, low, high in bounds:
            if not low <= value <= high:
                return f"{name} {value:g} is outside {low:g} to {high:g}"
        if self.global_time_s and not 1e-3 <= self.global_time_s <= 1e7:
            return f"GlobalTimestampInterval {self.global_time_s:g} is neither 0 nor 0.001 to 1e7"
        if self.trigger_mode == AUTOMATIC and self.period_s < self.exposure_s:
            return (
                f"TriggerPeriod {self.period_s:g} is shorter than ExposureTime {self.exposure_s:g}"
            )
        for edges in self.tdc:
            if edges not in TDC_EDGES:
                return f"Tdc '{edges}' is none of {', '.join(TDC_EDGES)}"
        return None

    @property
    def frame_period_s(self) -> float:
        """Time from frame to frame."""
        return self.exposure_s if self.trigger_mode == CONTINUOUS else self.period_s

    def to_json(self) -> dict[str, Any]:
        """The object as `GET /detector/config` gives it."""
        return {
            "Fan1PWM": self.fan1_pwm,
            "Fan2PWM": self.fan2_pwm,
            "BiasVoltage": self.bias_v,
            "BiasEnabled": self.bias_on,
            "ChainMode": CHAIN_MODES[self.chain_mode],
            "TriggerIn": self.trigger_in,
            "TriggerOut": self.trigger_out,
            "Polarity": POLARITIES[self.polarity],
            "TriggerMode": self.trigger_mode,
            "ExposureTime": self.exposure_s,
            "TriggerPeriod": self.period_s,
            "nTriggers": self.n_triggers,
            "PeriphClk80": self.clock_80mhz,
            "TriggerDelay": self.trigger_delay_s,
            "Tdc": list(self.tdc),
            "GlobalTimestampInterval": self.global_time_s,
            "ExternalReferenceClock": self.external_clock,
            "LogLevel": self.log_level,
        }

    def with_json(self, values: Mapping[str, Any]) -> DetectorConfig:
        """This configuration with the values of a PUT; what is not named stays.

        Raises
        ------
        Wrong
            If a name is unknown or a value is of another type.
        """
        changed: dict[str, Any] = {}
        for name, value in values.items():
            if name not in _FIELDS:
                raise Wrong(f"unknown field '{name}'")
            field, convert = _FIELDS[name]
            changed[field] = convert(name, value)
        return replace(self, **changed)


def _index(*labels: str) -> Any:
    def convert(name: str, value: Any) -> int:
        return labels.index(choice(*labels)(name, value))

    return convert


def _tdc(name: str, value: Any) -> tuple[str, str]:
    edges = strings(name, value)
    if len(edges) != 2:
        raise Wrong(f"{name} must have 2 elements, not {len(edges)}")
    return edges[0], edges[1]


_FIELDS: dict[str, tuple[str, Any]] = {
    "Fan1PWM": ("fan1_pwm", integer),
    "Fan2PWM": ("fan2_pwm", integer),
    "BiasVoltage": ("bias_v", number),
    "BiasEnabled": ("bias_on", boolean),
    "ChainMode": ("chain_mode", _index(*CHAIN_MODES)),
    "TriggerIn": ("trigger_in", integer),
    "TriggerOut": ("trigger_out", integer),
    "Polarity": ("polarity", _index(*POLARITIES)),
    "TriggerMode": ("trigger_mode", choice(*TRIGGER_MODES)),
    "ExposureTime": ("exposure_s", number),
    "TriggerPeriod": ("period_s", number),
    "nTriggers": ("n_triggers", integer),
    "PeriphClk80": ("clock_80mhz", boolean),
    "TriggerDelay": ("trigger_delay_s", number),
    "Tdc": ("tdc", _tdc),
    "GlobalTimestampInterval": ("global_time_s", number),
    "ExternalReferenceClock": ("external_clock", boolean),
    "LogLevel": ("log_level", integer),
}
