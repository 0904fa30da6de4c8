"""What a session says when its beamline, or a part of it, does not answer."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ophyd.signal import EpicsSignalBase

from twinbeam.errors import BeamlineError

__all__ = ["UnreachableError", "unreachable"]

_MOST_NAMES = 12


class UnreachableError(BeamlineError):
    """The instruments of a site do not answer; IPython shows the sentence without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"{BeamlineError.__name__}: {self}"]


def unreachable(
    devices: Sequence[Any],
    site: str | None,
    environment: Mapping[str, str] = os.environ,
    *,
    simulation: bool = False,
) -> UnreachableError:
    """Which process variables of which device are away, a line each, and what can be done.

    A device of which more than a dozen are away, or all, is told by their number and the first.

    Parameters
    ----------
    devices
        The instruments.
    site
        What `TWINBEAM_SITE` says; None when it says nothing.
    environment
        Where Channel Access gets its addresses from.
    simulation
        Whether the session has started the simulated beamline.
    """
    lines, n_away, n_all = [], 0, 0
    width = max((len(device.name) for device in devices), default=0)
    for device in devices:
        names: dict[str, bool] = {}
        for walk in device.walk_signals(include_lazy=False):
            if isinstance(walk.item, EpicsSignalBase):
                names.update(walk.item._connection_states)
        away = [name for name, connected in names.items() if not connected]
        n_away, n_all = n_away + len(away), n_all + len(names)
        if away:
            few = len(away) <= _MOST_NAMES and len(away) < len(names)
            told = ", ".join(away) if few else f"such as {away[0]}"
            count = f"{len(away)} of {len(names)}"
            lines.append(f"  {device.name:<{width}}  {count:>10}, {told}")
    told_site = f"TWINBEAM_SITE={site}" if site else "no TWINBEAM_SITE, so that of the simulation"
    addresses = environment.get("EPICS_CA_ADDR_LIST") or "not set"
    if simulation:
        help_ = (
            "TWINBEAM_SIM has started the simulated beamline, and nothing else is looked at. It\n"
            f"has other names than this site ({told_site}):\n"
            "unset one of the two"
        )
    else:
        help_ = (
            "TWINBEAM_SIM=1 starts a simulated beamline with the session. For a real one check\n"
            f"that its IOCs run, the site ({told_site})\n"
            f"and EPICS_CA_ADDR_LIST ({addresses})"
        )
    return UnreachableError(
        "\n".join([f"{n_away} of {n_all} process variables do not answer:", *lines]) + "\n",
        hint=f"without instruments no plans are loaded.\n{help_}",
    )
