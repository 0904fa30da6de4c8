"""Hits → photons."""

from twinbeam.photons.cluster import label_clusters, pixel_map
from twinbeam.photons.finder import PhotonFinder
from twinbeam.photons.order import TimeOrder
from twinbeam.photons.packed import PackedHits
from twinbeam.photons.parameters import Clustering, ColumnOffset, Response
from twinbeam.photons.photons import PhotonFlag, Photons
from twinbeam.photons.pixels import PIXEL_REASONS, pixel_rules
from twinbeam.photons.response import ResponseTables, energy_by_tot_kev, walk_by_tot_ticks

__all__ = [
    "PIXEL_REASONS",
    "Clustering",
    "ColumnOffset",
    "PackedHits",
    "PhotonFinder",
    "PhotonFlag",
    "Photons",
    "Response",
    "ResponseTables",
    "TimeOrder",
    "energy_by_tot_kev",
    "label_clusters",
    "pixel_map",
    "pixel_rules",
    "walk_by_tot_ticks",
]
