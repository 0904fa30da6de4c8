"""The namespace of a beamline prompt, under the names people know."""

from __future__ import annotations

import atexit
import os
from collections.abc import MutableMapping
from typing import Any

from twinbeam.profile.environment import catalog_folder, data_folder, use_channel_access
from twinbeam.profile.session import Session

__all__ = ["configure"]


def configure(user_ns: MutableMapping[str, Any]) -> Session:
    """Put RE, db, bec, sd, live … into a namespace, named as by `nslsii.configure_base`.

    Works in IPython and in a queueserver worker; plots need a Matplotlib backend that can show
    them. The session is closed when the process ends. With `TWINBEAM_LIVE=service` the live
    analysis is a process of its own and `live` the `LiveLink` to it.

    Parameters
    ----------
    user_ns
        The namespace to fill. Calling it twice for the same one gives the session that is there.
    """
    if isinstance(user_ns.get("session"), Session):
        return user_ns["session"]
    simulated = use_channel_access()
    import bluesky.plan_stubs as bps
    import bluesky.plans as bp
    import bluesky.preprocessors as bpp
    from bluesky.callbacks.best_effort import BestEffortCallback
    from bluesky.preprocessors import SupplementalData

    data = data_folder()
    data.mkdir(parents=True, exist_ok=True)
    service = os.environ.get("TWINBEAM_LIVE") == "service"
    session = Session(catalog_folder(), readable=[data], service=service, tell=_tell)
    atexit.register(session.close)
    bec = BestEffortCallback()
    if not _shows_plots():
        bec.disable_plots()
    session.RE.subscribe(bec)
    supplemental = SupplementalData()
    session.RE.preprocessors.append(supplemental)
    user_ns.update(
        session=session,
        simulated=simulated,
        data_root=data,
        RE=session.RE,
        db=session.db,
        catalog=session.catalog.client,
        live=session.live,
        bec=bec,
        peaks=bec.peaks,
        sd=supplemental,
        bp=bp,
        bps=bps,
        bpp=bpp,
    )
    _register_magics()
    return session


def _tell(sentence: str) -> None:
    print(f"twinbeam: {sentence}")


def _shows_plots() -> bool:
    import matplotlib

    return str(matplotlib.get_backend()).lower() not in ("agg", "pdf", "svg", "ps", "template")


def _register_magics() -> None:
    """Bluesky's %mov, %wa and %ct, where there is an IPython."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is not None:
        from bluesky.magics import BlueskyMagics

        shell.register_magics(BlueskyMagics)
