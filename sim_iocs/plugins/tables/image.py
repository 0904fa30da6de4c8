"""Rows of NDStdArrays, which serves arrays over Channel Access."""

from __future__ import annotations

from sim_iocs.plugins.tables.base import plugin_records
from sim_iocs.records import Record

__all__ = ["image_records"]

# The shipped IOC leaves room for any detector; only what an array has is ever sent.
_ROOM = 20_000_000


def image_records(port: str, source: str, n_pixels: int, enabled: int = 0) -> list[Record]:
    """Rows of the plugin; until the first array comes it serves `n_pixels` zeros."""
    return [
        *plugin_records(port, "NDPluginStdArrays", source, enabled=enabled),
        Record(
            "ArrayData",
            "waveform",
            0,
            "Pixels of the latest array",
            length=_ROOM,
            element="SHORT",
            filled=n_pixels,
            read_only=True,
        ),
    ]
