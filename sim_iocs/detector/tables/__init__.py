"""Rows of the driver, by topic, with its names, types and enum strings."""

from __future__ import annotations

from dataclasses import replace

from sim_iocs.detector.tables.acquisition import ACQUISITION
from sim_iocs.detector.tables.areadetector import AREADETECTOR
from sim_iocs.detector.tables.channels import CHANNELS
from sim_iocs.detector.tables.chips import CHIPS
from sim_iocs.detector.tables.init import shipped
from sim_iocs.detector.tables.labels import trigger_modes
from sim_iocs.detector.tables.masks import MASKS
from sim_iocs.detector.tables.measurement import MEASUREMENT
from sim_iocs.detector.tables.medipix import MEDIPIX
from sim_iocs.detector.tables.processing import PROCESSING
from sim_iocs.detector.tables.status import STATUS
from sim_iocs.drivers import DRIVERS
from sim_iocs.plugins.tables import ndarray_records
from sim_iocs.records import Record, as_in_database

__all__ = ["CAM", "DRIVERS", "absent", "cam_records", "shipped"]

_TABLES = (
    *ACQUISITION,
    *AREADETECTOR,
    *CHANNELS,
    *CHIPS,
    *MASKS,
    *MEASUREMENT,
    *MEDIPIX,
    *PROCESSING,
    *STATUS,
)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def cam_records(driver: str = DRIVERS[0]) -> list[Record]:
    """Rows of a version of the driver, with those that came later (see `absent`)."""
    rows = {record.name: record for record in ndarray_records("TPX3", driver)}
    # The driver's templates override some rows of areaDetector's.
    rows |= {record.name: record for record in _TABLES}
    modes = trigger_modes(_version(driver))
    for name in ("TriggerMode", "TriggerMode_RBV"):
        rows[name] = replace(rows[name], labels=modes)
    return as_in_database(rows.values())


def absent(driver: str) -> frozenset[str]:
    """Names that a version of the driver does not have yet."""
    return frozenset(
        record.name
        for record in _TABLES
        if record.since and _version(record.since) > _version(driver)
    )


CAM = cam_records()
