"""Rows of the areaDetector plugins, by plugin, with ADCore's names, types and enum strings."""

from __future__ import annotations

from sim_iocs.plugins.tables.hdf5 import COMPRESSION, hdf5_records
from sim_iocs.plugins.tables.image import image_records
from sim_iocs.plugins.tables.labels import DATA_TYPE
from sim_iocs.plugins.tables.ndarray import ADCORE_VERSION, ndarray_records
from sim_iocs.plugins.tables.region import region_records
from sim_iocs.plugins.tables.stats import PROFILES, SERIES, VALUES, stats_records
from sim_iocs.plugins.tables.time_series import time_series_records

__all__ = [
    "ADCORE_VERSION",
    "COMPRESSION",
    "DATA_TYPE",
    "PROFILES",
    "SERIES",
    "VALUES",
    "hdf5_records",
    "image_records",
    "ndarray_records",
    "region_records",
    "stats_records",
    "time_series_records",
]
