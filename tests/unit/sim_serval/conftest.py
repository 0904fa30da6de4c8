"""Servals to measure with, on free ports, which leave nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sim_iocs.network import reserve
from sim_iocs.serval import Beam, DetectorConfig, Faults, OutputSettings, Serval
from twinbeam.simulate import Experiment, SimulationParameters
from twinbeam.simulate.effects import TdcSignal

Work = Callable[[Serval], Awaitable[Any]]

QUICK = DetectorConfig(exposure_s=0.05, period_s=0.05, n_triggers=4)


@pytest.fixture
def experiment() -> Callable[..., Experiment]:
    """Function that makes an experiment of a good rate; keywords change its parameters."""

    def make(seed: int = 1, tdc_hz: float = 0.0, **changes: Any) -> Experiment:
        values = {"background_rate_hz": 5e4, "tdc": TdcSignal(rate_hz=tdc_hz), **changes}
        return Experiment(SimulationParameters(**values), seed=seed)

    return make


@pytest.fixture(scope="session")
def shared_experiment() -> Experiment:
    """An experiment for all that do not mind what others did with it before."""
    return Experiment(SimulationParameters(background_rate_hz=5e4), seed=1)


@pytest.fixture
def with_serval(shared_experiment: Experiment) -> Callable[..., Any]:
    """Function that runs a coroutine function with a Serval and gives its result."""

    def run(
        work: Work,
        *,
        source: Any = None,
        config: DetectorConfig = QUICK,
        faults: Faults | None = None,
        edges_hz: float = 0.0,
        **settings: Any,
    ) -> Any:
        async def inner() -> Any:
            serval = Serval(
                shared_experiment if source is None else source,
                Beam(detuning_deg=0.04, flux=1.0),
                faults,
                settings=OutputSettings(**settings),
                edges_hz=edges_hz,
            )
            serval.config = config
            try:
                return await asyncio.wait_for(work(serval), 60)
            finally:
                await serval.close()

        return asyncio.run(inner())

    return run


@pytest.fixture
def until() -> Callable[..., Awaitable[None]]:
    """Coroutine function that waits until `condition()` is true."""

    async def wait(condition: Callable[[], object], timeout_s: float = 40.0) -> None:
        async with asyncio.timeout(timeout_s):
            while not condition():
                await asyncio.sleep(0.005)

    return wait


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Function that gives a port nobody listens on."""

    def find() -> int:
        (found,), held = reserve(1)
        for each in held:
            each.close()
        return found

    return find
