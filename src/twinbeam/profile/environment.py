"""Where a session finds its instruments and keeps its data: environment variables and defaults."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import MutableMapping
from pathlib import Path

__all__ = [
    "SIMULATED_CHANNEL_ACCESS",
    "catalog_folder",
    "catalog_place",
    "data_folder",
    "in_queue_worker",
    "simulation_arguments",
    "site_name",
    "use_channel_access",
]

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


def simulation_arguments() -> list[str] | None:
    """What `TWINBEAM_SIM` says: arguments for the simulated beamline, None if none is to start.

    ``1`` starts it as it is; something that begins with a dash is given to it, as ``--seed=4``.
    """
    given = os.environ.get("TWINBEAM_SIM", "").strip()
    if given.lower() in ("", "0", "no", "off", "false"):
        return None
    return shlex.split(given) if given.startswith("-") else []


def site_name() -> str | None:
    """File or name of the site: `TWINBEAM_SITE`, or None for the simulated beamline."""
    return os.environ.get("TWINBEAM_SITE") or None


def catalog_folder() -> Path:
    """Folder of the catalogue: `TWINBEAM_CATALOG`, or `~/twinbeam/catalog`."""
    given = os.environ.get("TWINBEAM_CATALOG")
    return Path(given).expanduser() if given else Path.home() / "twinbeam" / "catalog"


def catalog_place() -> str | Path:
    """The catalogue: the server that `TWINBEAM_TILED_URI` names, or the folder."""
    return os.environ.get("TWINBEAM_TILED_URI") or catalog_folder()


def data_folder() -> Path:
    """First folder of the raw files: `TWINBEAM_DATA_DIR`, or `raw` beside the catalogue."""
    given = os.environ.get("TWINBEAM_DATA_DIR")
    return Path(given).expanduser() if given else catalog_folder().parent / "raw"


def in_queue_worker() -> bool:
    """Whether a worker of bluesky-queueserver executes this."""
    with contextlib.suppress(ImportError):
        from bluesky_queueserver import is_re_worker_active

        return bool(is_re_worker_active())
    return False
