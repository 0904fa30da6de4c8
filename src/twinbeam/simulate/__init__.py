"""The experiment as raw bytes with known truth, without EPICS."""

from __future__ import annotations

from twinbeam.physics import rocking_curve
from twinbeam.simulate.experiment import Experiment
from twinbeam.simulate.judge import Verdict, judge
from twinbeam.simulate.parameters import SimulationParameters
from twinbeam.simulate.playback import Playback
from twinbeam.simulate.truth import Truth
from twinbeam.simulate.write import simulate

__all__ = [
    "Experiment",
    "Playback",
    "SimulationParameters",
    "Truth",
    "Verdict",
    "diffracted_fraction",
    "judge",
    "simulate",
]


def diffracted_fraction(detuning_deg: float, mosaic_mdeg: float = 2.72534) -> float:
    """Diffracted intensity at a detuning as a share of the peak; 3.04 mdeg wide by default."""
    return float(rocking_curve(1e3 * detuning_deg, mosaic_mdeg))
