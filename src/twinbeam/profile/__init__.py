"""A beamline session: RunEngine, storage, databroker, live analysis, simulated instruments."""

from twinbeam.profile.configure import add_devices, add_help, add_plans, configure
from twinbeam.profile.environment import (
    SIMULATED_CHANNEL_ACCESS,
    catalog_folder,
    catalog_place,
    data_folder,
    in_queue_worker,
    use_channel_access,
)
from twinbeam.profile.interrupt import PauseAtOnce
from twinbeam.profile.live_analysis import LiveAnalysis
from twinbeam.profile.live_process import LiveProcess
from twinbeam.profile.session import Session
from twinbeam.profile.simulated import SimulatedBeamline

__all__ = [
    "SIMULATED_CHANNEL_ACCESS",
    "LiveAnalysis",
    "LiveProcess",
    "PauseAtOnce",
    "Session",
    "SimulatedBeamline",
    "add_devices",
    "add_help",
    "add_plans",
    "catalog_folder",
    "catalog_place",
    "configure",
    "data_folder",
    "in_queue_worker",
    "use_channel_access",
]
