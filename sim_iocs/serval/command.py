"""`python -m sim_iocs serval`: a Serval for clients that speak HTTP and TCP, without EPICS."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
from pathlib import Path
from typing import Literal

from sim_iocs.processes import watch_parent
from sim_iocs.serval.http_server import HttpServer
from sim_iocs.serval.late_experiment import LateExperiment
from sim_iocs.serval.outputs import OutputSettings
from sim_iocs.serval.playback import Recording
from sim_iocs.serval.rest import Rest
from sim_iocs.serval.serval import Serval
from sim_iocs.serval.source import Beam, Source
from twinbeam.errors import BeamlineError
from twinbeam.simulate import SimulationParameters
from twinbeam.simulate.sample import Mask

__all__ = ["make_source", "run"]

_PARENT_POLL_S = 0.5


def make_source(
    *,
    seed: int = 1,
    pair_rate_hz: float | None = None,
    background_rate_hz: float | None = None,
    tdc_rate_hz: float = 0.0,
    playback: Path | None = None,
    loop: bool = False,
    sample: Literal["none", "spokes"] = "spokes",
    mask: Mask | None = None,
    where: str = "sim_iocs",
) -> Source:
    """The simulated experiment, or a recorded file.

    Parameters
    ----------
    seed
        Of all random numbers.
    pair_rate_hz, background_rate_hz, tdc_rate_hz
        Rates, those of the parameters if None.
    playback, loop
        A recorded file, and whether it is played again and again.
    sample
        Whether there is a sample at all.
    mask
        What it is, in place of opaque spokes.
    where
        What errors name as the place.

    Raises
    ------
    RawDataError
        If the file to play back is not a raw file.
    RecipeError
        If a rate is out of bounds.
    """
    if playback is not None:
        return Recording(playback, loop=loop)
    given = {
        "pair_rate_hz": pair_rate_hz,
        "background_rate_hz": background_rate_hz,
        "sample": sample,
        "tdc": {"rate_hz": tdc_rate_hz} if tdc_rate_hz else None,
    }
    values = {name: value for name, value in given.items() if value is not None}
    return LateExperiment(
        SimulationParameters.from_mapping(values, where=where), seed=seed, mask=mask
    )


def run(options: argparse.Namespace) -> None:
    """Serve until a signal comes or the parent process is gone.

    Raises
    ------
    BeamlineError
        If the port is in use.
    RawDataError
        If the file to play back is not a raw file.
    RecipeError
        If a rate is out of bounds.
    """
    source = make_source(
        seed=options.seed,
        pair_rate_hz=options.pair_rate_hz,
        background_rate_hz=options.background_rate_hz,
        tdc_rate_hz=options.tdc_rate_hz,
        playback=options.playback,
        loop=options.loop,
        where="sim_iocs serval",
    )
    serval = Serval(
        source,
        Beam(options.detuning_deg, options.flux),
        settings=OutputSettings(bind_host=options.host, complete_after_s=options.complete_after_s),
        edges_hz=options.trigger_hz,
    )
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(serval, options.host, options.port, options.parent_pid))


async def _serve(serval: Serval, host: str, port: int, parent_pid: int | None) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    server = HttpServer(Rest(serval), host, port)
    try:
        try:
            await server.open()
        except OSError as error:
            raise BeamlineError(
                f"cannot listen: {error.strerror}",
                where=f"{host}:{port}",
                hint="choose another --port",
            ) from error
        print(f"serval pid={os.getpid()} http://{host}:{server.port}", flush=True)
        print("READY", flush=True)
        serval.prepare()
        waiting = [asyncio.create_task(stop.wait()), asyncio.create_task(server.run())]
        if parent_pid is not None:
            waiting.append(asyncio.create_task(watch_parent(parent_pid, _PARENT_POLL_S)))
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    finally:
        await server.close()
        await serval.close()
