"""Plans for the RunEngine: align, map, calibrate, detune, collect.

All are plain generators of messages with typed arguments that give their result as plan result
(``RunEngine(call_returns_result=True)``) and print it. None waits outside a message, so they also
run in a queue server, and `bluesky.simulators.summarize_plan` shows what they would do.

However a plan ends, the shutter is closed, the detector idle and the run closed. Arguments and soft
limits are checked before anything moves.
"""

from __future__ import annotations

from twinbeam.plans._annotations import bind
from twinbeam.plans.bragg import BraggResult, find_bragg
from twinbeam.plans.calibrate_timewalk import TimewalkResult, calibrate_timewalk
from twinbeam.plans.calibrate_tot import ToTResult, calibrate_tot
from twinbeam.plans.classical_image import ClassicalImage, classical_image
from twinbeam.plans.collect import collect_pairs
from twinbeam.plans.collect_result import Acquired, CollectResult
from twinbeam.plans.count_pairs import CountResult, count_pairs
from twinbeam.plans.detuning_scan import DetuningResult, DetuningStep, best_detuning, detuning_scan
from twinbeam.plans.distance_from_rings import DistanceResult, distance_from_rings
from twinbeam.plans.drift import Drift
from twinbeam.plans.earlier import Collected, EarlierRuns, earlier_runs
from twinbeam.plans.find_center import CenterResult, find_center
from twinbeam.plans.find_hot_pixels import HotPixels, find_hot_pixels
from twinbeam.plans.flying import fly_frames
from twinbeam.plans.live_results import LiveNumbers, LiveResults, live_results
from twinbeam.plans.mosaic_map import MosaicResult, MosaicSpot, mosaic_map
from twinbeam.plans.moves import approach, set_detuning
from twinbeam.plans.peak import PeakFit, fit_peak
from twinbeam.plans.rocking import RockingResult, rocking_curve
from twinbeam.plans.rocking_fit import CurveModel, RockingFit, fit_rocking_curve
from twinbeam.plans.start_metadata import pair_metadata
from twinbeam.plans.suspenders import (
    SuspendUnless,
    suspend_on_beam_loss,
    suspend_on_closed_shutter,
    suspend_on_detector_loss,
    suspend_outside,
)
from twinbeam.plans.threshold_scan import ThresholdResult, threshold_scan

__all__ = [
    "Acquired",
    "BraggResult",
    "CenterResult",
    "ClassicalImage",
    "CollectResult",
    "Collected",
    "CountResult",
    "CurveModel",
    "DetuningResult",
    "DetuningStep",
    "DistanceResult",
    "Drift",
    "EarlierRuns",
    "HotPixels",
    "LiveNumbers",
    "LiveResults",
    "MosaicResult",
    "MosaicSpot",
    "PeakFit",
    "RockingFit",
    "RockingResult",
    "SuspendUnless",
    "ThresholdResult",
    "TimewalkResult",
    "ToTResult",
    "approach",
    "best_detuning",
    "bind",
    "calibrate_timewalk",
    "calibrate_tot",
    "classical_image",
    "collect_pairs",
    "count_pairs",
    "detuning_scan",
    "distance_from_rings",
    "earlier_runs",
    "find_bragg",
    "find_center",
    "find_hot_pixels",
    "fit_peak",
    "fit_rocking_curve",
    "fly_frames",
    "live_results",
    "mosaic_map",
    "pair_metadata",
    "rocking_curve",
    "set_detuning",
    "suspend_on_beam_loss",
    "suspend_on_closed_shutter",
    "suspend_on_detector_loss",
    "suspend_outside",
    "threshold_scan",
]
