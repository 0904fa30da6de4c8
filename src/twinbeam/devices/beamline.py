"""All instruments of the beamline under one roof."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from ophyd import Device

from twinbeam.devices.arm import DetectorArm
from twinbeam.devices.attenuators import Attenuators
from twinbeam.devices.connect import connect
from twinbeam.devices.construct import construct
from twinbeam.devices.detector import TimePix3Detector
from twinbeam.devices.goniometer import Goniometer
from twinbeam.devices.ion_chamber import IonChamber
from twinbeam.devices.monitor import IntensityMonitor
from twinbeam.devices.mono import Monochromator
from twinbeam.devices.ring import RingCurrent
from twinbeam.devices.settings import Patience
from twinbeam.devices.shutter import Shutter
from twinbeam.devices.site import Site, load_site
from twinbeam.devices.slits import BeamStop, SampleStage, Slits

__all__ = ["Beamline", "make_beamline"]


@dataclass(frozen=True)
class Beamline:
    """The instruments that plans work with; those that a site does not have are None."""

    detector: TimePix3Detector
    goniometer: Goniometer
    shutter: Shutter
    ring: RingCurrent
    monitor: IntensityMonitor
    arm: DetectorArm | None = None
    mono: Monochromator | None = None
    slits: Slits | None = None
    attenuators: Attenuators | None = None
    ion_chamber: IonChamber | None = None
    beam_stop: BeamStop | None = None
    sample: SampleStage | None = None

    @property
    def devices(self) -> tuple[Device, ...]:
        """All instruments that are there."""
        every = (getattr(self, field.name) for field in fields(self))
        return tuple(device for device in every if device is not None)

    def connect(self, timeout_s: float = 10.0) -> None:
        """Wait for all process variables.

        Raises
        ------
        BeamlineError
            Naming every one that does not answer within `timeout_s` seconds.
        """
        connect(*self.devices, timeout_s=timeout_s)

    def destroy(self) -> None:
        """Let go of all process variables; the devices cannot be used again."""
        for device in self.devices:
            device.destroy()


def make_beamline(
    prefix: str | None = None,
    detector_prefix: str | None = None,
    *,
    data_root: Path | str,
    patience: Patience | None = None,
    site: Site | None = None,
) -> Beamline:
    """Make all instruments. They connect in the background; `Beamline.connect` waits for that.

    Parameters
    ----------
    prefix
        What stands before the names of all devices but the detector, in place of the site's.
    detector_prefix
        Of the detector, in place of the site's.
    data_root
        Folder under which the detector writes raw files.
    patience
        How long the detector may take for each step.
    site
        Which instruments there are and what they are called; the simulated beamline when left
        out. `load_site` reads one.
    """
    site = site or load_site()
    made = {field.name: site.make(field.name, prefix) for field in fields(Beamline)[1:]}
    if made["mono"] is not None:
        made["mono"].lead(made["goniometer"])
    detector_prefix = site.detector.prefix if detector_prefix is None else detector_prefix
    detector = construct(
        lambda: TimePix3Detector(
            detector_prefix,
            name=site.detector.name,
            data_root=data_root,
            patience=patience,
            guards=site.detector.guards,
            labels={"detectors"},
        ),
        detector_prefix,
    )
    return Beamline(detector=detector, **made)
