"""The experiment in the detector follows the beamline: distance, beam stop, sample, energy."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim_iocs.detector.beam_link import FOLLOWED, BeamLink, emission_rate_hz, followed
from sim_iocs.serval import Beam
from twinbeam import Recipe, process, read_photons
from twinbeam.pairs import Cut, Selection
from twinbeam.physics import Geometry, ring_radius_px
from twinbeam.simulate import Experiment, SimulationParameters

WAIT_S = 60
STOP_X = "ES{BS:Tpx3-Ax:X}Mtr"
DISTANCE = "ES{Det:Tpx3-Ax:Z}Mtr"
SAMPLE_X = "ES{Smpl-Ax:X}Mtr"
ENERGY = "OP{Mono:DCM-Ax:Energy}Mtr"
THETA = "ES{Gon-Ax:Th}Mtr"
START = SimulationParameters(pair_rate_hz=4000.0, background_rate_hz=20_000.0)
SEEN = {
    "Energy": 15.0, "Bragg": 11.57602, "Distance": 0.494, "CentreX": 258.0, "CentreY": 258.0,
    "StopHalf": 0.0, "SampleX": 0.0, "SampleY": 0.0,
}  # fmt: skip


class Followed:
    """An experiment in this process that follows the beamline over Channel Access."""

    def __init__(self, prefix: str) -> None:
        self.beam = Beam()
        self.experiment = Experiment(START, seed=3)
        self._prefix = prefix
        self._linked = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()))
        self._thread.start()

    async def _main(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        link = BeamLink(self.beam, self._prefix, self.experiment)
        running = asyncio.create_task(link.run())
        if await link.connected(WAIT_S):
            self._linked.set()
            await self._over.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    def wait(self) -> None:
        assert self._linked.wait(WAIT_S)

    def acquire(self, path: Path, seconds: float = 1.0) -> Path:
        ex, beam = self.experiment, self.beam
        data = ex.start() + ex.advance(seconds, beam.detuning_deg, beam.flux) + ex.stop()
        path.write_bytes(data)
        return path

    def close(self) -> None:
        if self._linked.is_set():
            self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(WAIT_S)


@pytest.fixture(scope="module")
def follower(beamline: Any) -> Iterator[Followed]:
    made = Followed(beamline.prefixes.beamline)
    try:
        made.wait()
        yield made
    finally:
        made.close()


@pytest.fixture
def pump(sim: Any, follower: Followed, wait_until: Any) -> Iterator[Any]:
    """The beamline with light on a crystal that is detuned by 0.040°."""
    sim.put("Sht-Cmd:Opn", 1)
    sim.put(THETA, sim.get("World:Bragg_RBV") + 0.040)
    wait_until(lambda: abs(follower.beam.detuning_deg - 0.040) < 1e-3, WAIT_S, "detuning")
    wait_until(lambda: follower.beam.flux > 0.9, WAIT_S, "flux")
    yield sim
    sim.put_all({STOP_X: 0.0, DISTANCE: 494.0, SAMPLE_X: 0.0, ENERGY: 15.0})
    sim.put(THETA, 11.5)
    sim.put(THETA, 11.526)


def test_the_beam_stop_takes_the_photons_behind_it(
    pump: Any, follower: Followed, wait_until: Any, tmp_path: Path
) -> None:
    def seen(name: str) -> tuple[int, int]:
        photons = read_photons(follower.acquire(tmp_path / f"{name}.tpx3", 0.5))
        away = np.maximum(np.abs(photons.x - 258.0), np.abs(photons.y - 258.0))
        # a pixel of margin for photons that two pixels share
        return int(np.sum(away < 104.0)), int(np.sum(away > 107.0))

    pump.put(STOP_X, 30.0)
    wait_until(lambda: follower.experiment.parameters.beam_stop_px == 0.0, WAIT_S)
    free, around = seen("out")
    pump.put(STOP_X, 0.0)
    wait_until(lambda: follower.experiment.parameters.beam_stop_px > 0.0, WAIT_S)
    assert follower.experiment.parameters.beam_stop_px == pytest.approx(105.0)
    shadowed, around_then = seen("in")
    assert free > 1000
    assert shadowed < 0.02 * free, "what is left are dark photons and accidents of clustering"
    assert around_then == pytest.approx(around, rel=0.1)


def test_the_ring_grows_with_the_distance(
    pump: Any, follower: Followed, wait_until: Any, tmp_path: Path
) -> None:
    selection = Selection(
        cuts=(
            Cut(quantity="energy_sum_kev", low=12.0, high=18.0),
            Cut(quantity="dp_px", low=0.0, high=5.0),
            Cut(quantity="dt_ns", low=-60.0, high=60.0),
        )
    )
    for distance_mm in (420.0, 494.0):
        pump.put(DISTANCE, distance_mm)
        wait_until(
            lambda d=distance_mm: (
                abs(follower.experiment.parameters.distance_m - 1e-3 * d) < 1e-6
                and abs(pump.get("World:Distance_RBV") - 1e-3 * d) < 1e-6
            ),
            WAIT_S,
        )
        geometry = Geometry(distance_m=1e-3 * distance_mm)
        path = follower.acquire(tmp_path / f"{distance_mm:g}.tpx3")
        result = process([path], Recipe(geometry=geometry, selection=selection))
        pairs = result.pairs[result.pairs.replica == 0]
        assert len(pairs) > 300
        radius_px = float(np.median(np.sqrt(pairs.r1 * pairs.r2)))  # Eq. 1: equal energies' radius
        closed_form = ring_radius_px(0.040, 11.576, 1e-3 * distance_mm, 55.0)
        assert radius_px == pytest.approx(float(closed_form), rel=0.01)
        wait_until(
            lambda c=closed_form: abs(pump.get("World:RingRadius_RBV") - c) < 0.5, WAIT_S, "radius"
        )


def test_a_sample_far_out_and_the_energy_are_followed(
    pump: Any, follower: Followed, wait_until: Any
) -> None:
    parameters = lambda: follower.experiment.parameters  # noqa: E731
    assert parameters().sample == "spokes"
    pump.put(SAMPLE_X, 18.0)
    wait_until(lambda: parameters().sample == "none", WAIT_S)
    pump.put(SAMPLE_X, 0.0)
    wait_until(lambda: parameters().sample == "spokes", WAIT_S)
    pump.put(ENERGY, 14.0)
    wait_until(lambda: parameters().pump_kev == pytest.approx(14.0), WAIT_S)
    wait_until(lambda: parameters().bragg_deg > 12.0, WAIT_S, "the reflection moves with it")


def test_at_the_start_nothing_but_the_stop_differs() -> None:
    assert set(SEEN) == set(FOLLOWED)
    assert emission_rate_hz(START, SEEN) == START.pair_rate_hz
    changed = followed(START, SEEN, START.pair_rate_hz)
    assert START.model_copy(update=changed) == START


def test_the_crystal_emits_as_many_pairs_wherever_the_detector_stands() -> None:
    near = emission_rate_hz(START, {**SEEN, "Distance": 0.400})
    far = emission_rate_hz(START, {**SEEN, "Distance": 0.700})
    assert near > START.pair_rate_hz > far > 0.0
    assert emission_rate_hz(START, {**SEEN, "Distance": 1.2}) == 0.0
    # rates of 0 must not be refused at the start of an acquisition
    gone = followed(START, {**SEEN, "Distance": 1.2}, 0.0)
    assert Experiment(START.model_copy(update=gone), seed=1).n_hits == 0
