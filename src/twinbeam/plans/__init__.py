"""Plans for the RunEngine: align, measure, detune, collect.

All are plain generators of messages with typed arguments that give their result as plan result
(``RunEngine(call_returns_result=True)``). None waits outside a message, so they also run in a
queue server, and `bluesky.simulators.summarize_plan` shows what they would do.
"""

from __future__ import annotations

from twinbeam.plans.bragg import BraggResult, find_bragg
from twinbeam.plans.collect import CollectResult, collect_pairs
from twinbeam.plans.flying import fly_frames
from twinbeam.plans.moves import approach, set_detuning
from twinbeam.plans.peak import PeakFit, fit_peak
from twinbeam.plans.rocking import RockingResult, rocking_curve
from twinbeam.plans.start_metadata import pair_metadata

__all__ = [
    "BraggResult",
    "CollectResult",
    "PeakFit",
    "RockingResult",
    "approach",
    "collect_pairs",
    "find_bragg",
    "fit_peak",
    "fly_frames",
    "pair_metadata",
    "rocking_curve",
    "set_detuning",
]
