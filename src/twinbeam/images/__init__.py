"""Photons and pairs → images and histograms."""

from twinbeam.images.accumulate import PAIR_IMAGES, Images
from twinbeam.images.axes import Axes
from twinbeam.images.histogram import count_bins, count_pixels
from twinbeam.images.parameters import ImageParameters
from twinbeam.images.sharpen import sharpened_idler

__all__ = [
    "PAIR_IMAGES",
    "Axes",
    "ImageParameters",
    "Images",
    "count_bins",
    "count_pixels",
    "sharpened_idler",
]
