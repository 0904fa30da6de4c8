"""Where a session finds its instruments and keeps its data: environment variables and defaults."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from twinbeam.errors import BeamlineError

__all__ = [
    "SIMULATED_CHANNEL_ACCESS",
    "catalog_folder",
    "catalog_place",
    "data_folder",
    "in_queue_worker",
    "is_simulated_site",
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

    With a site of its own (`TWINBEAM_SITE`) it looks where EPICS looks by default. Call it before
    the first Channel Access client of the process exists.

    Returns
    -------
    bool
        Whether the simulated beamline is used; False when `EPICS_CA_ADDR_LIST` was set, or the
        site is another.
    """
    if environment.get("EPICS_CA_ADDR_LIST") or not is_simulated_site(site_name(environment)):
        return False
    environment.update(SIMULATED_CHANNEL_ACCESS)
    return True


def simulation_arguments() -> list[str] | None:
    """What `TWINBEAM_SIM` says: arguments for the simulated beamline, None if none is to start.

    ``1`` starts it as it is; something that begins with a dash is given to it, as ``--seed=4``.

    Raises
    ------
    BeamlineError
        If quotes in it are not closed.
    """
    given = os.environ.get("TWINBEAM_SIM", "").strip()
    if given.lower() in ("", "0", "no", "off", "false"):
        return None
    try:
        return shlex.split(given) if given.startswith("-") else []
    except ValueError as error:
        raise BeamlineError(
            f"{given} is no list of options: {error}", where="TWINBEAM_SIM"
        ) from None


def site_name(environment: Mapping[str, str] = os.environ) -> str | None:
    """File or name of the site: `TWINBEAM_SITE`, or None for the simulated beamline."""
    return environment.get("TWINBEAM_SITE") or None


def is_simulated_site(name: str | None) -> bool:
    """Whether a site has the names of the simulated beamline as it comes."""
    return name in (None, "simulated")


def catalog_folder() -> Path:
    """Folder of the catalogue: `TWINBEAM_CATALOG`, or `~/twinbeam/catalog`."""
    given = os.environ.get("TWINBEAM_CATALOG")
    return Path(given).expanduser() if given else Path.home() / "twinbeam" / "catalog"


def catalog_place() -> str | Path:
    """The catalogue: the server that `TWINBEAM_TILED_URI` names, or the folder."""
    return os.environ.get("TWINBEAM_TILED_URI") or catalog_folder()


def data_folder() -> Path:
    """First folder of the raw files: `TWINBEAM_DATA_DIR`, or `raw` beside the catalogue.

    It stays the same one when somebody changes the working folder later.
    """
    given = os.environ.get("TWINBEAM_DATA_DIR")
    return (Path(given).expanduser() if given else catalog_folder().parent / "raw").absolute()


def in_queue_worker() -> bool:
    """Whether a worker of bluesky-queueserver executes this."""
    if "bluesky_queueserver" not in sys.modules:  # then it is none, and nobody waits for the import
        return False
    from bluesky_queueserver import is_re_worker_active

    return bool(is_re_worker_active())
