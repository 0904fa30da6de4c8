"""What the detector learns of the beam: two values that it monitors over Channel Access."""

from __future__ import annotations

import asyncio
from typing import Any

from caproto.asyncio.client import Context

from sim_iocs.detector.measurement import Beam

__all__ = ["BeamLink"]


class BeamLink:
    """Keeps a `Beam` as the beamline IOC says it is; without that IOC it stays dark.

    Parameters
    ----------
    beam
        What to keep up to date.
    prefix
        Prefix of the beamline IOC.
    """

    def __init__(self, beam: Beam, prefix: str) -> None:
        self._beam = beam
        self._names = (f"{prefix}World:Detuning_RBV", f"{prefix}World:Flux_RBV")
        self._seen = {"detuning": asyncio.Event(), "flux": asyncio.Event()}

    async def connected(self, timeout_s: float) -> bool:
        """Wait until both values have come; False if they have not in time."""
        both = asyncio.gather(*(event.wait() for event in self._seen.values()))
        try:
            await asyncio.wait_for(both, timeout_s)
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Follow the beamline for ever; lost connections come back by themselves."""
        context = Context()
        try:
            detuning, flux = await context.get_pvs(*self._names)
            # caproto holds callbacks weakly: bound methods live as long as this object. Coroutine
            # functions are called in order; plain ones would run in threads.
            subscriptions = [detuning.subscribe(), flux.subscribe()]
            subscriptions[0].add_callback(self._detuning)
            subscriptions[1].add_callback(self._flux)
            await asyncio.Event().wait()
        finally:
            await context.disconnect()

    async def _detuning(self, _subscription: Any, response: Any) -> None:
        self._beam.detuning_deg = float(response.data[0])
        self._seen["detuning"].set()

    async def _flux(self, _subscription: Any, response: Any) -> None:
        self._beam.flux = float(response.data[0])
        self._seen["flux"].set()
