"""Photons and pairs → images and histograms."""

from twinbeam.images.accumulate import Images, Singles
from twinbeam.images.autocorrelation import Autocorrelation, g2
from twinbeam.images.axes import Axes
from twinbeam.images.distance import (
    CoincidencesByDistance,
    coincidence_probability,
    offsets_at_distance,
)
from twinbeam.images.histogram import add_bins, add_pixels, add_singles, count_bins, count_pixels
from twinbeam.images.net import net_array
from twinbeam.images.pair_images import PAIR_IMAGES, PairHistograms, PairImages
from twinbeam.images.pair_profiles import CorrelationMaps, PairProfiles
from twinbeam.images.parameters import ImageParameters
from twinbeam.images.reducer import Reducer, Sums, add_arrays
from twinbeam.images.sharpen import sharpened_idler, sharpened_pair

__all__ = [
    "PAIR_IMAGES",
    "Autocorrelation",
    "Axes",
    "CoincidencesByDistance",
    "CorrelationMaps",
    "ImageParameters",
    "Images",
    "PairHistograms",
    "PairImages",
    "PairProfiles",
    "Reducer",
    "Singles",
    "Sums",
    "add_arrays",
    "add_bins",
    "add_pixels",
    "add_singles",
    "coincidence_probability",
    "count_bins",
    "count_pixels",
    "g2",
    "net_array",
    "offsets_at_distance",
    "sharpened_idler",
    "sharpened_pair",
]
