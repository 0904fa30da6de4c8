"""Ready-made sets of parameters."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from twinbeam.simulate.effects import HotPixels, TdcSignal
from twinbeam.simulate.parameters import SimulationParameters

__all__ = ["PRESETS"]

#: Parameters by name.
#:
#: `default`
#:     Many pairs and a low background: the demonstration.
#: `benchmark`
#:     3.75 Mhit/s of nearly only background, with TDC pulses of 60 Hz; 5.3 s hold 20 million hits.
#: `chx`
#:     Rates, energy resolution and noisy pixels of the published measurement.
PRESETS: Final = MappingProxyType(
    {
        "default": SimulationParameters(),
        "benchmark": SimulationParameters(
            pair_rate_hz=13_757.0,
            background_rate_hz=2.46e6,
            sample="none",
            serval="3.2",
            global_time_s=1.0,
            tdc=TdcSignal(rate_hz=60.0),
        ),
        "chx": SimulationParameters(
            pair_rate_hz=3.2,
            background_rate_hz=4.33e5,
            sample="none",
            gain_spread=0.18,
            resolution_kev=0.85,
            hot=HotPixels(count=158, rate_hz=20.0),
        ),
    }
)
