"""What the detector learns of the beamline: values of the beam that it monitors over CA."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Mapping
from typing import Any

from caproto.asyncio.client import Context

from sim_iocs.serval import Beam, Source
from twinbeam.physics import pair_acceptance
from twinbeam.simulate import Experiment, SimulationParameters

__all__ = ["FOLLOWED", "BeamLink", "emission_rate_hz", "followed"]

#: What a followed experiment takes from the beamline, as `World:<name>_RBV`.
FOLLOWED = (
    "Energy", "Bragg", "Distance", "CentreX", "CentreY", "StopHalf", "SampleX", "SampleY",
)  # fmt: skip

_BEAM = ("PairDetuning", "Flux")
_NOMINAL_DETUNING_DEG = 0.040
_SIDE_PX = 514.0
_CHECK_S = 0.5
_LEAVE_S = 1.0


def followed(
    start: SimulationParameters, seen: Mapping[str, float], pair_rate_hz: float
) -> dict[str, Any]:
    """Parameters of the experiment for a state of the beamline.

    The Bragg angle is taken to a millidegree, which no ring shows: what the crystal's place and the
    drift do to it is in the detuning. A sample that is moved out of the sensor's view is none.

    Parameters
    ----------
    start
        What the experiment was made with.
    seen
        A value for each name in `FOLLOWED`.
    pair_rate_hz
        See `emission_rate_hz`.
    """
    out = max(abs(seen["SampleX"]), abs(seen["SampleY"])) > 0.5 * _SIDE_PX
    return {
        "pump_kev": seen["Energy"],
        "bragg_deg": round(seen["Bragg"], 3),
        "distance_m": seen["Distance"],
        "centre_px": (seen["CentreX"], seen["CentreY"]),
        "beam_stop_px": max(seen["StopHalf"], 0.0),
        "sample": "none" if out else start.sample,
        "sample_offset_px": (seen["SampleX"], seen["SampleY"]),
        "pair_rate_hz": pair_rate_hz,
    }


def emission_rate_hz(start: SimulationParameters, seen: Mapping[str, float]) -> float:
    """Pairs on the sensor at 0.040°, from as many as the crystal emitted at the start.

    0 where no pair of that detuning reaches the sensor, beyond 0.85 m; those of a smaller detuning,
    which would, are missed there.
    """
    p = start
    at_start = _acceptance(p.bragg_deg, p.distance_m, p.pixel_um, p.centre_px)
    if not at_start:
        return p.pair_rate_hz
    centre = (round(seen["CentreX"], 1), round(seen["CentreY"], 1))
    now = _acceptance(round(seen["Bragg"], 3), round(seen["Distance"], 4), p.pixel_um, centre)
    return p.pair_rate_hz * (now / at_start)


@functools.lru_cache(maxsize=64)
def _acceptance(
    bragg_deg: float, distance_m: float, pixel_um: float, centre_px: tuple[float, float]
) -> float:
    return pair_acceptance(
        _NOMINAL_DETUNING_DEG, bragg_deg, distance_m, pixel_um, centre_px, _SIDE_PX
    )


class BeamLink:
    """Keeps a `Beam`, and an experiment in it, as the beamline IOC says they are.

    Without that IOC the beam stays dark. Detuning and flux, which the attenuators are part of, act
    at once, and so do energy, distance, axis, beam stop and sample: from the next slice of time on,
    at most 50 ms later.

    Parameters
    ----------
    beam
        What to keep up to date.
    prefix
        Prefix of the beamline IOC.
    source
        Where the detector's bytes come from; nothing but an `Experiment` can follow.
    """

    def __init__(self, beam: Beam, prefix: str, source: Source | None = None) -> None:
        self._beam = beam
        self._experiment = source if isinstance(source, Experiment) else None
        self._start = self._experiment.parameters if self._experiment else None
        wanted = (*_BEAM, *(FOLLOWED if self._experiment else ()))
        self._names = {f"{prefix}World:{name}_RBV": name for name in wanted}
        self._seen: dict[str, float] = {}
        self._pair_rate_hz = self._start.pair_rate_hz if self._start else 0.0
        self._complete = asyncio.Event()
        self._changed = asyncio.Event()

    async def connected(self, timeout_s: float) -> bool:
        """Wait until all values have come; False if they have not in time."""
        try:
            await asyncio.wait_for(self._complete.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Follow the beamline for ever; lost connections come back by themselves."""
        context = Context()
        subscriptions: list[Any] = []
        try:
            # caproto holds callbacks weakly: bound methods live as long as this object. Coroutine
            # functions are called in order; plain ones would run in threads.
            subscriptions += [pv.subscribe() for pv in await context.get_pvs(*self._names)]
            for subscription in subscriptions:
                subscription.add_callback(self._take)
            await self._follow()
        finally:
            # it may wait for ever for a server that ends at the same time
            leaving = asyncio.create_task(context.disconnect())
            await asyncio.wait({leaving}, timeout=_LEAVE_S)
            leaving.cancel()
            for subscription in subscriptions:
                # else each makes a coroutine that nobody awaits when this object goes
                subscription.callbacks.clear()

    async def _take(self, subscription: Any, response: Any) -> None:
        name, value = self._names[subscription.pv.name], float(response.data[0])
        self._seen[name] = value
        if name == "PairDetuning":
            self._beam.detuning_deg = value
        elif name == "Flux":
            self._beam.flux = value
        else:
            self._apply()
            self._changed.set()
        # the first time the number of pairs must be right, too, before anybody acquires
        if self._experiment is None and len(self._seen) == len(self._names):
            self._complete.set()

    async def _follow(self) -> None:
        """Compute how many pairs there are, which takes too long for each step of a motor."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), _CHECK_S)
            self._changed.clear()
            if self._start is None or len(self._seen) < len(self._names):
                continue
            seen = dict(self._seen)
            self._pair_rate_hz = await asyncio.to_thread(emission_rate_hz, self._start, seen)
            # Looked at now and then, too: an acquisition that begins in its thread writes
            # parameters as well, and whoever writes last wins.
            self._apply()
            self._complete.set()

    def _apply(self) -> None:
        if self._experiment is None or self._start is None or len(self._seen) < len(self._names):
            return
        present = self._experiment.parameters
        wanted = followed(self._start, self._seen, self._pair_rate_hz)
        if any(getattr(present, name) != value for name, value in wanted.items()):
            self._experiment.parameters = present.model_copy(update=wanted)
