"""The instruments of the site, under the names people type."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ophyd import Device

    from twinbeam.devices import Beamline

__all__ = ["baseline", "instruments"]

#: Where the usual name at the prompt is not that of the field.
_NAMES = {"detector": "tpx", "goniometer": "gonio"}


def instruments(beamline: Beamline) -> dict[str, Any]:
    """Names and devices of a beamline; `theta` and `detuning` are parts of the goniometer.

    Devices that the site does not have are left out.
    """
    found = {
        _NAMES.get(field.name, field.name): getattr(beamline, field.name)
        for field in fields(beamline)
    }
    found["theta"] = beamline.goniometer.theta
    found["detuning"] = beamline.goniometer.detuning
    return {name: device for name, device in found.items() if device is not None}


def baseline(beamline: Beamline) -> list[Device]:
    """What says where everything stood during a run: all but what counts."""
    counting = (beamline.detector, beamline.monitor, beamline.ion_chamber)
    return [device for device in beamline.devices if not any(device is each for each in counting)]
