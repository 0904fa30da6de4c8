"""Photons → pairs."""

from twinbeam.pairs.derived import DERIVED_UNITS, derived_quantity
from twinbeam.pairs.estimate import Estimate
from twinbeam.pairs.finder import PairFinder
from twinbeam.pairs.halves import (
    OPPOSITE,
    REGION_CODES,
    region_at,
    region_map,
    region_of,
    split_halves,
)
from twinbeam.pairs.observables import measure_pairs, pair_table
from twinbeam.pairs.pairs import Pairs
from twinbeam.pairs.parameters import Cut, Pairing, Replicas, Selection
from twinbeam.pairs.relation import BackToBack, Relation, estimate_relation, related
from twinbeam.pairs.replica import Replica, TurnShifts
from twinbeam.pairs.search import coincidences, most_partners, replica_shifts
from twinbeam.pairs.select import SelectedPairs
from twinbeam.pairs.shared import SharedCounts, SharedPhotons, shared_counts

__all__ = [
    "DERIVED_UNITS",
    "OPPOSITE",
    "REGION_CODES",
    "BackToBack",
    "Cut",
    "Estimate",
    "PairFinder",
    "Pairing",
    "Pairs",
    "Relation",
    "Replica",
    "Replicas",
    "SelectedPairs",
    "Selection",
    "SharedCounts",
    "SharedPhotons",
    "TurnShifts",
    "coincidences",
    "derived_quantity",
    "estimate_relation",
    "measure_pairs",
    "most_partners",
    "pair_table",
    "region_at",
    "region_map",
    "region_of",
    "related",
    "replica_shifts",
    "shared_counts",
    "split_halves",
]
