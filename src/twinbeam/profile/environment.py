"""Where a session finds its instruments and keeps its data: environment variables and defaults."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path

__all__ = ["SIMULATED_CHANNEL_ACCESS", "catalog_folder", "data_folder", "use_channel_access"]

#: How clients reach the simulated beamline that `twinbeam iocs` starts.
SIMULATED_CHANNEL_ACCESS = {
    "EPICS_CA_ADDR_LIST": "127.0.0.1:5264 127.0.0.1:5265",
    "EPICS_CA_AUTO_ADDR_LIST": "NO",
    "EPICS_CA_REPEATER_PORT": "5266",
    "EPICS_CA_MAX_ARRAY_BYTES": "16777216",
}


def use_channel_access(environment: MutableMapping[str, str] = os.environ) -> bool:
    """Point Channel Access at the simulated beamline unless it is told where to look.

    Call it before the first Channel Access client of the process exists.

    Returns
    -------
    bool
        Whether the simulated beamline is used; False when `EPICS_CA_ADDR_LIST` was set.
    """
    if environment.get("EPICS_CA_ADDR_LIST"):
        return False
    environment.update(SIMULATED_CHANNEL_ACCESS)
    return True


def catalog_folder() -> Path:
    """Folder of the catalogue: `TWINBEAM_CATALOG`, or `~/twinbeam/catalog`."""
    given = os.environ.get("TWINBEAM_CATALOG")
    return Path(given).expanduser() if given else Path.home() / "twinbeam" / "catalog"


def data_folder() -> Path:
    """First folder of the raw files: `TWINBEAM_DATA_DIR`, or `raw` beside the catalogue."""
    given = os.environ.get("TWINBEAM_DATA_DIR")
    return Path(given).expanduser() if given else catalog_folder().parent / "raw"
