"""End of all Channel Access, before the interpreter takes the client's threads away."""

from __future__ import annotations

import atexit
import concurrent.futures.thread  # noqa: F401  whatever registered last is called first
import contextlib
import logging
import threading
from collections.abc import Callable

import ophyd

__all__ = ["disconnect", "disconnect_at_exit"]


def disconnect() -> None:
    """Close all Channel Access connections of this process, for good.

    Only for the caproto client; others end by themselves.
    """
    if ophyd.get_cl().name != "caproto":
        return
    from caproto.threading.pyepics_compat import PV

    context = PV.default_context()
    dispatcher = ophyd.get_cl().get_dispatcher()
    # A value that is under way now finds its channel closed, which the client reports as an error.
    logging.getLogger("caproto").setLevel(logging.CRITICAL + 1)
    with contextlib.suppress(Exception):  # nothing is left to be done about it
        # First the threads that may be reading something just now.
        if dispatcher is not None:
            dispatcher.stop()
        context.disconnect()
        context.broadcaster.disconnect()


def disconnect_at_exit() -> None:
    """Arrange for `disconnect` to be called when the process ends.

    The interpreter ends thread pools before it calls functions of `atexit`; a value that arrives
    in between makes the client print a traceback. So this registers with `threading`, whose
    functions are called first, where the interpreter has that.
    """
    register: Callable[[Callable[[], None]], object] = getattr(
        threading, "_register_atexit", atexit.register
    )
    register(disconnect)
