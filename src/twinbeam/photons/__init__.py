"""Hits → photons."""

from twinbeam.photons.cluster import label_clusters, pixel_map
from twinbeam.photons.finder import PhotonFinder
from twinbeam.photons.measure import energy_by_tot_kev, measure_clusters, walk_by_tot_ticks
from twinbeam.photons.order import TimeOrder
from twinbeam.photons.parameters import Clustering, Response
from twinbeam.photons.photons import PhotonFlag, Photons
from twinbeam.photons.select import select_hits

__all__ = [
    "Clustering",
    "PhotonFinder",
    "PhotonFlag",
    "Photons",
    "Response",
    "TimeOrder",
    "energy_by_tot_kev",
    "label_clusters",
    "measure_clusters",
    "pixel_map",
    "select_hits",
    "walk_by_tot_ticks",
]
