"""Photons → pairs."""

from twinbeam.pairs.estimate import Estimate
from twinbeam.pairs.finder import PairFinder
from twinbeam.pairs.halves import split_halves
from twinbeam.pairs.observables import measure_pairs
from twinbeam.pairs.pairs import Pairs
from twinbeam.pairs.parameters import Cut, Pairing, Replicas, Selection
from twinbeam.pairs.search import coincidences, most_partners, replica_shifts
from twinbeam.pairs.select import SelectedPairs

__all__ = [
    "Cut",
    "Estimate",
    "PairFinder",
    "Pairing",
    "Pairs",
    "Replicas",
    "SelectedPairs",
    "Selection",
    "coincidences",
    "measure_pairs",
    "most_partners",
    "replica_shifts",
    "split_halves",
]
