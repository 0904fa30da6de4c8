"""The experiment as raw bytes with known truth, without EPICS."""

from __future__ import annotations

from twinbeam.physics import rocking_curve
from twinbeam.simulate.counts import Counts
from twinbeam.simulate.effects import HotPixels, LateColumns, TdcSignal
from twinbeam.simulate.experiment import Experiment
from twinbeam.simulate.hit_truth import HitTruth
from twinbeam.simulate.judge import Verdict, judge
from twinbeam.simulate.load import load_parameters, parameters_to_yaml
from twinbeam.simulate.parameters import SimulationParameters
from twinbeam.simulate.photon_truth import PhotonKind, PhotonTruth
from twinbeam.simulate.playback import Playback
from twinbeam.simulate.presets import PRESETS
from twinbeam.simulate.truth import Truth
from twinbeam.simulate.truth_files import read_truth
from twinbeam.simulate.write import simulate

__all__ = [
    "PRESETS",
    "Counts",
    "Experiment",
    "HitTruth",
    "HotPixels",
    "LateColumns",
    "PhotonKind",
    "PhotonTruth",
    "Playback",
    "SimulationParameters",
    "TdcSignal",
    "Truth",
    "Verdict",
    "diffracted_fraction",
    "judge",
    "load_parameters",
    "parameters_to_yaml",
    "read_truth",
    "simulate",
]


def diffracted_fraction(detuning_deg: float, mosaic_mdeg: float = 2.72534) -> float:
    """Diffracted intensity at a detuning as a share of the peak; 3.04 mdeg wide by default."""
    return float(rocking_curve(1e3 * detuning_deg, mosaic_mdeg))
