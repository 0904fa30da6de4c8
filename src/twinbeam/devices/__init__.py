"""Beamline instruments as ophyd devices.

Importing this package chooses caproto as ophyd's Channel Access client, unless the environment
variable ``OPHYD_CONTROL_LAYER`` names another (``pyepics``) or ophyd is imported already. caproto
needs no EPICS libraries and no repeater process. It also gives process variables 10 s to answer
where ophyd's setting of 2 s was not changed.

Devices connect in the background; `connect` waits for them, all at once, and lists every process
variable that does not answer.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPHYD_CONTROL_LAYER", "caproto")  # ophyd reads it when it is imported

from twinbeam.devices.arm import DetectorArm
from twinbeam.devices.attenuators import Attenuators
from twinbeam.devices.axis import Axis
from twinbeam.devices.beamline import Beamline, make_beamline
from twinbeam.devices.cam import TimePix3Cam
from twinbeam.devices.connect import connect
from twinbeam.devices.detector import TimePix3Detector
from twinbeam.devices.disconnect import disconnect, disconnect_at_exit
from twinbeam.devices.goniometer import Detuning, Goniometer
from twinbeam.devices.guards import Guards
from twinbeam.devices.image import PreviewImage
from twinbeam.devices.ion_chamber import IonChamber
from twinbeam.devices.mask_upload import MaskCircle, MaskRectangle
from twinbeam.devices.monitor import IntensityMonitor
from twinbeam.devices.mono import Monochromator
from twinbeam.devices.reading import read_patiently
from twinbeam.devices.ring import RingCurrent
from twinbeam.devices.settings import AcquisitionSettings, Patience, TriggerMode
from twinbeam.devices.shutter import Shutter
from twinbeam.devices.site import Site, load_site
from twinbeam.devices.slits import BeamStop, SampleStage, Slits

__all__ = [
    "AcquisitionSettings",
    "Attenuators",
    "Axis",
    "BeamStop",
    "Beamline",
    "DetectorArm",
    "Detuning",
    "Goniometer",
    "Guards",
    "IntensityMonitor",
    "IonChamber",
    "MaskCircle",
    "MaskRectangle",
    "Monochromator",
    "Patience",
    "PreviewImage",
    "RingCurrent",
    "SampleStage",
    "Shutter",
    "Site",
    "Slits",
    "TimePix3Cam",
    "TimePix3Detector",
    "TriggerMode",
    "connect",
    "disconnect",
    "load_site",
    "make_beamline",
]

read_patiently()
disconnect_at_exit()
