"""Names of the process variables of a site, without a client of Channel Access."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["site_channels"]


def site_channels(name: str | None) -> tuple[str, dict[str, list[str]]]:
    """Name of the site, and the process variables of its detector and of each other device.

    Parameters
    ----------
    name
        File or name of the site; None for the simulated beamline.

    Raises
    ------
    BeamlineError
        If there is no such site, or its file says something that cannot be.
    """
    from twinbeam.devices import TimePix3Detector, load_site
    from twinbeam.devices.site import _DEVICES, _class_for

    site = load_site(name)
    channels = {"detector": list(_names(TimePix3Detector, site.detector.prefix))}
    for key, entry in site.devices.items():
        made = _class_for(_DEVICES[key][0], entry)
        channels[key] = list(_names(made, site.prefix + entry.prefix))
    return site.name, channels


def _names(made: type[Any], prefix: str) -> Iterator[str]:
    """Names of the signals of a class of devices that connect when it is made."""
    from ophyd import Device
    from ophyd.signal import EpicsSignalBase

    for component in made._sig_attrs.values():
        suffix = component.suffix
        if component.lazy or not isinstance(suffix, str):
            continue
        name = prefix + suffix if "suffix" in component.add_prefix else suffix
        if issubclass(component.cls, EpicsSignalBase):
            yield name
        elif issubclass(component.cls, Device):
            yield from _names(component.cls, name)
