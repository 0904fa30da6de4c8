"""Which process variables the instruments of a site have: one YAML file."""

from __future__ import annotations

import copy
import inspect
from pathlib import Path
from typing import Any, Self

from ophyd import Device
from ophyd.signal import EpicsSignalBase
from pydantic import Field, ValidationInfo, field_validator, model_validator

from twinbeam.devices.arm import DetectorArm
from twinbeam.devices.attenuators import Attenuators
from twinbeam.devices.axis import Axis
from twinbeam.devices.construct import construct
from twinbeam.devices.goniometer import Goniometer
from twinbeam.devices.guards import Guards
from twinbeam.devices.ion_chamber import IonChamber
from twinbeam.devices.monitor import IntensityMonitor
from twinbeam.devices.mono import Monochromator
from twinbeam.devices.ring import RingCurrent
from twinbeam.devices.shutter import Shutter
from twinbeam.devices.slits import BeamStop, SampleStage, Slits
from twinbeam.errors import BeamlineError, RecipeError
from twinbeam.parameter_file import read_parameter_file
from twinbeam.parameters import Parameters

__all__ = ["Site", "SiteDetector", "SiteDevice", "load_site"]

_PACKAGED = Path(__file__).with_name("sites")

#: Class, usual name and label of each device.
_DEVICES: dict[str, tuple[type[Device], str, frozenset[str]]] = {
    "goniometer": (Goniometer, "gonio", frozenset()),
    "shutter": (Shutter, "shutter", frozenset({"shutters"})),
    "ring": (RingCurrent, "ring", frozenset({"ring"})),
    "monitor": (IntensityMonitor, "monitor", frozenset({"detectors"})),
    "arm": (DetectorArm, "arm", frozenset()),
    "mono": (Monochromator, "mono", frozenset()),
    "slits": (Slits, "slits", frozenset()),
    "attenuators": (Attenuators, "attenuators", frozenset({"attenuators"})),
    "ion_chamber": (IonChamber, "ion_chamber", frozenset({"detectors"})),
    "beam_stop": (BeamStop, "beam_stop", frozenset()),
    "sample": (SampleStage, "sample", frozenset()),
}
_NEEDED = ("goniometer", "shutter", "ring", "monitor")
#: Parts without which a device is of no use; all others may be left out.
_NEEDED_PARTS: dict[str, tuple[str, ...]] = {
    "goniometer": ("theta", "detuning", "bragg", "bragg_found"),
    "shutter": ("status", "open_command", "close_command"),
    "ring": ("current",),
    "monitor": ("count_time", "count", "intensity"),
    "arm": ("z",),
    "mono": ("energy",),
    "attenuators": ("transmission", "wanted", "moving_status"),
    "ion_chamber": ("current",),
}


class SiteDevice(Parameters):
    """Names of one device."""

    prefix: str = Field("", description="What stands before the suffixes of its class.")
    name: str = Field("", description="Name in documents; left out, the usual one.")
    pvs: dict[str, str] = Field({}, description="Full names of parts that are named otherwise.")
    without: tuple[str, ...] = Field((), description="Parts that are not there.")
    options: dict[str, float] = Field({}, description="Options of its class, such as timeout_s.")


class SiteDetector(Parameters):
    """Names of the Timepix3."""

    prefix: str = Field("TPX3-TEST:", min_length=1, description="What stands before cam1:.")
    name: str = Field("tpx3", min_length=1, description="Name in documents.")
    guards: Guards = Field(Guards(), description="Limits outside which it is not used.")


class Site(Parameters):
    """The instruments of a site."""

    name: str = Field("site", min_length=1, description="What the site is called.")
    prefix: str = Field("", description="What stands before the prefix of each device.")
    detector: SiteDetector = Field(SiteDetector(), description="The Timepix3.")
    devices: dict[str, SiteDevice] = Field(description="All other instruments.")

    @field_validator("devices")
    @classmethod
    def _known_parts(
        cls, devices: dict[str, SiteDevice], _: ValidationInfo
    ) -> dict[str, SiteDevice]:
        for key, device in devices.items():
            if key not in _DEVICES:
                raise ValueError(f"no device '{key}'; there are {', '.join(_DEVICES)}")
            if problem := _problem(key, device):
                raise ValueError(problem)
        return devices

    @model_validator(mode="after")
    def _all_needed(self) -> Self:
        if missing := [key for key in _NEEDED if key not in self.devices]:
            raise ValueError(f"devices lacks {', '.join(missing)}, which all plans need")
        users: dict[str, str] = {self.detector.name: "detector"}
        for key, entry in self.devices.items():
            name = entry.name or _DEVICES[key][1]
            if name in users:
                raise ValueError(f"{users[name]} and {key} have the same name '{name}'")
            users[name] = key
            if not (self.prefix or entry.prefix) and (unnamed := _unnamed(key, entry)):
                raise ValueError(
                    f"{key} has no prefix, and neither has the site, to name {', '.join(unnamed)}"
                )
        return self

    def make(self, key: str, prefix: str | None = None) -> Any:
        """The ophyd device of a key, or None if the site has none.

        Parameters
        ----------
        prefix
            Takes the place of the site's.

        Raises
        ------
        BeamlineError
            If the Channel Access client fails, again and again, while the device is made.
        """
        if (entry := self.devices.get(key)) is None:
            return None
        made, usual, labels = _DEVICES[key]
        site_prefix = self.prefix if prefix is None else prefix
        whole = site_prefix + entry.prefix
        return construct(
            lambda: _class_for(made, entry)(
                whole, name=entry.name or usual, labels=set(labels), **entry.options
            ),
            whole,
        )


def load_site(name: str | Path | None = None) -> Site:
    """Read the file of a site.

    Parameters
    ----------
    name
        A YAML file, or the name of a site that comes with the package; without one the simulated
        beamline.

    Raises
    ------
    BeamlineError
        If there is no such file or site, or the file says something that cannot be.
    """
    path = _find(name)
    try:
        values = read_parameter_file(path, "a site is a mapping of groups")
        return Site.from_mapping(values, where=str(path))
    except RecipeError as error:
        raise BeamlineError(error.what, where=error.where, hint=error.hint) from None


def _problem(key: str, entry: SiteDevice) -> str | None:
    """What cannot be about the parts and options of a device."""
    made = _DEVICES[key][0]
    parts = made.component_names
    for part in (*entry.pvs, *entry.without):
        if part not in parts:
            return f"{key} has no part '{part}'; it has {', '.join(parts)}"
    for part, pv in entry.pvs.items():
        if not issubclass(getattr(made, part).cls, EpicsSignalBase | Axis):
            return f"part '{part}' of {key} is no process variable"
        if not pv.strip():
            return f"part '{part}' of {key} has an empty name; `without` leaves it out"
        if part in entry.without:
            return f"part '{part}' of {key} is both in pvs and in without"
    if needed := [part for part in _NEEDED_PARTS.get(key, ()) if part in entry.without]:
        return f"{key} needs {', '.join(needed)}, which `without` cannot leave out"
    options = _options(made)
    for option, value in entry.options.items():
        if option not in options:
            there = f"it has {', '.join(options)}" if options else "it has none"
            return f"{key} has no option '{option}'; {there}"
        if not 0.0 < value < float("inf"):
            return f"option {option} of {key} is {value:g}, but must be above 0"
    return None


def _unnamed(key: str, entry: SiteDevice) -> list[str]:
    """Process variables that only a prefix could name."""
    made = _DEVICES[key][0]
    left = [part for part in made.component_names if part not in (*entry.pvs, *entry.without)]
    return [part for part in left if issubclass(getattr(made, part).cls, EpicsSignalBase | Axis)]


def _options(made: type[Device]) -> list[str]:
    """Names of what the class itself takes as an option."""
    init = vars(made).get("__init__")
    parameters = inspect.signature(init).parameters.values() if init else ()
    return [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]


def _find(name: str | Path | None) -> Path:
    if name is None:
        return _PACKAGED / "simulated.yaml"
    if Path(name).is_file():
        return Path(name)
    packaged = {path.stem: path for path in _PACKAGED.glob("*.yaml")}
    if str(name) in packaged:
        return packaged[str(name)]
    raise BeamlineError(
        f"there is no site '{name}'",
        where="site",
        hint=f"give a YAML file, or one of {', '.join(sorted(packaged))}",
    )


def _class_for(made: type[Device], entry: SiteDevice) -> type[Device]:
    """The class with other names of some parts, and without others."""
    changed: dict[str, Any] = dict.fromkeys(entry.without)
    for part, pv in entry.pvs.items():
        component = copy.copy(getattr(made, part))
        component.suffix, component.add_prefix = pv, ()
        changed[part] = component
    return type(made.__name__, (made,), changed) if changed else made
