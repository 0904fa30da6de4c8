"""All instruments of the beamline under one roof."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ophyd import Device

from twinbeam.devices.connect import connect
from twinbeam.devices.detector import TimePix3Detector
from twinbeam.devices.goniometer import Goniometer
from twinbeam.devices.monitor import IntensityMonitor
from twinbeam.devices.ring import RingCurrent
from twinbeam.devices.settings import Patience
from twinbeam.devices.shutter import Shutter

__all__ = ["Beamline", "make_beamline"]


@dataclass(frozen=True)
class Beamline:
    """The instruments that plans work with."""

    detector: TimePix3Detector
    goniometer: Goniometer
    shutter: Shutter
    ring: RingCurrent
    monitor: IntensityMonitor

    @property
    def devices(self) -> tuple[Device, ...]:
        """All instruments."""
        return self.detector, self.goniometer, self.shutter, self.ring, self.monitor

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
    prefix: str = "SIM:",
    detector_prefix: str = "TPX3-TEST:",
    *,
    data_root: Path | str,
    patience: Patience | None = None,
) -> Beamline:
    """Make all instruments. They connect in the background; `Beamline.connect` waits for that.

    Parameters
    ----------
    prefix
        Of goniometer, shutter, ring and monitor.
    detector_prefix
        Of the detector.
    data_root
        Folder under which the detector writes raw files.
    patience
        How long the detector may take for each step.
    """
    return Beamline(
        detector=TimePix3Detector(
            detector_prefix,
            name="tpx3",
            data_root=data_root,
            patience=patience,
            labels={"detectors"},
        ),
        goniometer=Goniometer(prefix, name="gonio"),
        shutter=Shutter(prefix, name="shutter", labels={"shutters"}),
        ring=RingCurrent(prefix, name="ring"),
        monitor=IntensityMonitor(prefix, name="monitor", labels={"detectors"}),
    )
