"""All records as a table: `python -m sim_iocs records`."""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sim_iocs.drivers import DRIVERS
from sim_iocs.records import Record

__all__ = ["add_records_parser", "print_records", "rows_of"]

_HEAD = ("name", "type", "access", "start", "states_or_units", "meaning")


def add_records_parser(commands: Any) -> None:
    """Add the command to the others."""
    parser = commands.add_parser(
        "records",
        help="list all records: name, type, access, value at the start, states or units, meaning",
        description="Lists all records with tabs between the columns; starts nothing.",
    )
    parser.add_argument("--detector-prefix", default="TPX3-TEST:", metavar="PREFIX")
    parser.add_argument("--beamline-prefix", default="SIM:", metavar="PREFIX")
    parser.add_argument("--beamline-file", type=Path, metavar="FILE")
    parser.add_argument("--driver", choices=DRIVERS, default=DRIVERS[0])


def rows_of(record: Record, prefix: str) -> tuple[str, str, str, str, str, str]:
    """Columns of one record."""
    kind = f"text[{record.length}]" if record.kind == "text" else record.kind
    if record.kind in ("waveform", "subArray"):
        kind = f"{record.kind} {record.element}[{record.length}]"
    access = "read" if record.read_only else "write"
    start = str(record.value)
    if record.labels and isinstance(record.value, int) and record.value < len(record.labels):
        start = record.labels[record.value]
    states = " | ".join(record.labels) or record.units
    return prefix + record.name, kind, access, start, states, record.doc


def print_records(options: argparse.Namespace) -> None:
    """Print the table.

    Raises
    ------
    RecipeError
        If the file of the beamline is no good.
    """
    out = csv.writer(sys.stdout, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE,
                     escapechar="\\")  # fmt: skip
    try:
        out.writerow(_HEAD)
        for prefix, records in _all(options):
            out.writerows(rows_of(record, prefix) for record in records)
        sys.stdout.flush()
    except BrokenPipeError:
        # whoever reads has seen enough; the rest of the buffer would be complained about
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _all(options: argparse.Namespace) -> Iterator[tuple[str, list[Record]]]:
    """Records of both IOCs by what stands before their names."""
    from sim_iocs.beamline import BeamlineSettings, beamline_records
    from sim_iocs.detector.tables import absent, cam_records
    from sim_iocs.detector_faults import FAULT_RECORDS
    from sim_iocs.plugins.plugin_set import plugin_tables

    detector, missing = options.detector_prefix, absent(options.driver)
    cam = [record for record in cam_records(options.driver) if record.name not in missing]
    yield f"{detector}cam1:", cam
    for name, rows in plugin_tables("TPX3", "shipped").items():
        yield detector + name, list(rows)
    yield f"{detector}SIM:", list(FAULT_RECORDS)
    yield options.beamline_prefix, beamline_records(BeamlineSettings(file=options.beamline_file))
