"""Every plan on simulated instruments that fail: broken off, refused, stuck, away and back.

`TWINBEAM_CUTS=all` breaks every plan off at every message instead of two, and kills the IOC of the
beamline during exposures of the detector too.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import bluesky.plan_stubs as bps
import pytest
from bluesky import RunEngine
from bluesky.utils import RunEngineInterrupted, TransitionError
from ophyd import EpicsSignal

from twinbeam import plans
from twinbeam.devices import Beamline, Patience, make_beamline
from twinbeam.errors import BeamlineError, TwinbeamError

ALL = os.environ.get("TWINBEAM_CUTS") == "all"
BRAGG_DEG = 11.576
PREFIX, DETECTOR = "FAULTY:", "FAULTY-TPX3:"
WAIT_S = 60.0

Make = Callable[[Beamline, float], Any]


def off_bragg(make: Make) -> Make:
    """Far off first: here pairs, of half the energy, would be as many as scattered photons."""

    def moved(b: Beamline, s: float) -> Any:
        yield from bps.mv(b.goniometer.theta, BRAGG_DEG - 1.0)
        return (yield from make(b, s))

    return moved


PLANS: dict[str, Make] = {
    "find_bragg": lambda b, s: plans.find_bragg(
        b.monitor, b.goniometer.theta, span_deg=0.006, centre_deg=BRAGG_DEG, widest_deg=0.0,
        count_s=0.002, shutter=b.shutter,
    ),
    "rocking_curve": lambda b, s: plans.rocking_curve(
        b.monitor, b.goniometer.theta, centre_deg=BRAGG_DEG, num=11, count_s=0.01, shutter=b.shutter
    ),
    "mosaic_map": lambda b, s: plans.mosaic_map(
        b.monitor, b.goniometer.theta, b.goniometer.x, b.goniometer.y, bragg_deg=BRAGG_DEG,
        x_half=0.1, y_half=0.0, pitch=0.2, num=9, count_s=0.01, refinements=0, shutter=b.shutter,
    ),
    "set_detuning": lambda b, s: plans.set_detuning(b.goniometer.theta, BRAGG_DEG, 0.04),
    "detuning_scan": lambda b, s: plans.detuning_scan(
        b.detector, b.shutter, b.goniometer.theta, results=lambda run: None, bragg_deg=BRAGG_DEG,
        detunings_deg=[0.03, 0.04], seconds=s, frame_s=0.1, flush_s=0.05, final_s=0.0,
    ),
    "collect_pairs": lambda b, s: plans.collect_pairs(
        b.detector, b.shutter, b.goniometer.theta, seconds=s, frame_s=0.1, bragg_deg=BRAGG_DEG,
        monitor=b.monitor, recheck_s=s / 2, recheck_count_s=0.005, flush_s=0.05, retry_wait_s=0.5,
        retries=20,
    ),
    "calibrate_tot": off_bragg(lambda b, s: plans.calibrate_tot(
        b.detector, b.mono.energy, b.shutter, energies_kev=[7.0, 9.0, 12.0, 15.0], seconds=s
    )),
    "calibrate_timewalk": lambda b, s: plans.calibrate_timewalk(b.detector, b.shutter, seconds=s),
    "find_hot_pixels": lambda b, s: plans.find_hot_pixels(b.detector, b.shutter, seconds=s),
    "threshold_scan": lambda b, s: plans.threshold_scan(
        b.detector, b.slits.x_gap, b.shutter, thresholds=[1.0, 2.0], seconds=s
    ),
    "find_center": lambda b, s: plans.find_center(
        b.detector, b.shutter, bragg_deg=BRAGG_DEG, seconds=s
    ),
    "distance_from_rings": lambda b, s: plans.distance_from_rings(
        b.detector, b.shutter, b.goniometer.theta, bragg_deg=BRAGG_DEG, detunings_deg=[0.02, 0.04],
        seconds=s,
    ),
    "classical_image": lambda b, s: plans.classical_image(
        b.detector, b.shutter, photons=100, seconds=s
    ),
    "count_pairs": lambda b, s: plans.count_pairs(
        b.detector, b.shutter, bragg_deg=BRAGG_DEG, seconds=s
    ),
}  # fmt: skip
SCANS = ("find_bragg", "rocking_curve", "mosaic_map", "set_detuning")
EXPOSURES = [name for name in PLANS if name not in SCANS]


class Iocs:
    """Both IOCs under names of their own, to be killed and started again.

    One thread starts them all, for they end with the thread that started them.
    """

    def __init__(self, beamline: Any, run_iocs: Any, prefix: str, detector: str) -> None:
        here, there = beamline.spare_ports
        self._prefix = prefix
        self._run_iocs = run_iocs
        self._arguments = {
            "beamline": (f"--port={here}",),
            "detector": (
                f"--port={there}",
                f"--detector-prefix={detector}",
                f"--beamline=127.0.0.1:{here}",
                "--pair-rate-hz=4000",
                "--background-rate-hz=4000",
            ),
        }
        self._running: dict[str, tuple[Any, contextlib.ExitStack]] = {}
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="iocs")
        for name in self._arguments:
            self.start(name)

    def start(self, name: str) -> None:
        """Start one and wait until it is there."""
        self._starter.submit(self._start, name).result()

    def _start(self, name: str) -> None:
        stack = contextlib.ExitStack()
        common = (name, "--fast", f"--beamline-prefix={self._prefix}")
        process, _ = stack.enter_context(self._run_iocs(*common, *self._arguments[name]))
        self._running[name] = process, stack

    def kill(self, name: str) -> None:
        """As by `kill -9`."""
        process, stack = self._running.pop(name)
        process.kill()
        stack.close()

    def close(self) -> None:
        """End both."""
        for _, stack in self._running.values():
            stack.close()
        self._starter.shutdown()


@dataclass
class Bench:
    """Instruments, a RunEngine, its documents, and what makes instruments fail."""

    it: Beamline
    iocs: Iocs
    engine: RunEngine
    wait_until: Any
    documents: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def safe(self) -> None:
        """Make sure that everything is as a plan should leave it."""
        it = self.it
        shut = lambda: it.shutter.status.get(use_monitor=False) == "Closed"  # noqa: E731
        self.wait_until(shut, WAIT_S, "the shutter is closed")
        assert it.detector.cam.acquire.get(use_monitor=False) == 0
        state = it.detector.cam.measurement_state
        busy = ("DA_RECORDING", "DA_STARTING")
        idle = lambda: state.get(use_monitor=False) not in busy  # noqa: E731
        self.wait_until(idle, WAIT_S, "the detector idles")
        assert it.detector._staged.value == it.monitor._staged.value == "no"
        starts = [doc["uid"] for kind, doc in self.documents if kind == "start"]
        assert starts == [doc["run_start"] for kind, doc in self.documents if kind == "stop"]
        assert self.engine.state == "idle"

    @property
    def exit_status(self) -> str:
        """Of the newest run."""
        kind, stop = self.documents[-1]
        assert kind == "stop"
        return str(stop["exit_status"])


@pytest.fixture(scope="module")
def instruments(
    beamline: Any,
    run_iocs: Any,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[tuple[Beamline, Iocs]]:
    # of each file its own: a client searches long for names whose IOC was killed
    names = request.module.PREFIX, request.module.DETECTOR
    iocs = Iocs(beamline, run_iocs, *names)
    made = make_beamline(
        *names,
        data_root=tmp_path_factory.mktemp("raw"),
        patience=Patience(write_s=10.0, start_s=60.0, stop_s=10.0, stall_s=30.0, files_s=15.0),
    )
    made.connect(WAIT_S)
    yield made, iocs
    made.destroy()
    iocs.close()


@pytest.fixture
def bench(instruments: tuple[Beamline, Iocs], wait_until: Any) -> Iterator[Bench]:
    engine = RunEngine(context_managers=[], call_returns_result=True)
    thread = engine._th
    made = Bench(*instruments, engine, wait_until)
    engine.subscribe(lambda kind, doc: made.documents.append((kind, doc)))
    made.it.goniometer.theta.set(BRAGG_DEG + 0.04).wait(WAIT_S)
    yield made
    engine.loop.call_soon_threadsafe(engine.loop.stop)
    thread.join(60.0)
    engine.loop.close()


@contextlib.contextmanager
def fault(record: str, value: Any, back: Any = 0) -> Iterator[None]:
    """A record of the simulation with another value meanwhile."""
    signal = EpicsSignal(record, name="fault", put_complete=True)
    signal.wait_for_connection(timeout=WAIT_S)
    signal.set(value).wait(WAIT_S)
    try:
        yield
    finally:
        signal.set(back).wait(WAIT_S)
        signal.destroy()


def broken_off(bench: Bench, name: str, index: int) -> bool:
    """Run a plan, pause at a message as Ctrl-C does, and abort; whether it came to that.

    A run that is open then is aborted; nothing else may come out than the interruption.
    """
    count = iter(range(10**9))
    threads: list[threading.Thread] = []

    def pause() -> None:
        with contextlib.suppress(TransitionError):  # it has ended meanwhile
            bench.engine.request_pause()

    def hook(_: Any) -> None:
        if next(count) == index:
            threads.append(threading.Thread(target=pause))
            threads[-1].start()

    bench.documents.clear()
    bench.engine.msg_hook = hook
    try:
        bench.engine(PLANS[name](bench.it, 0.2))
    except RunEngineInterrupted:
        kinds = [kind for kind, _ in bench.documents]
        is_open = kinds.count("start") > kinds.count("stop")
        if bench.engine.state == "paused":  # before its first checkpoint a plan ends by itself
            bench.engine.abort("test")
        assert not is_open or bench.exit_status == "abort"
        return True
    finally:
        bench.engine.msg_hook = None
        for thread in threads:
            thread.join(WAIT_S)
    return False


@pytest.mark.parametrize("name", PLANS)
def test_ctrl_c_and_abort_leave_everything_safe(bench: Bench, name: str) -> None:
    """Ctrl-C twice, which pauses at once, then `RE.abort()`; at messages spread over the plan."""
    messages: list[str] = []
    bench.engine.msg_hook = lambda message: messages.append(message.command)
    bench.engine(PLANS[name](bench.it, 0.2))
    bench.safe()
    last = len(messages) - 1
    n_came = 0
    for index in range(last + 1) if ALL else (last // 3, 2 * last // 3):
        came = broken_off(bench, name, index)
        # while it analyses at its end, a plan may be over before the pause is asked for
        assert came or index > last // 2, f"message {index} of {last}: {messages[index]}"
        bench.safe()
        n_came += came
    assert n_came > (0.6 * last if ALL else 0)


@pytest.mark.parametrize("name", EXPOSURES)
def test_a_detector_that_refuses_to_start_is_told(bench: Bench, name: str) -> None:
    with (
        fault(f"{DETECTOR}SIM:StartRefused", 1),
        pytest.raises(BeamlineError, match=f"{DETECTOR}cam1:Acquire") as caught,
    ):
        bench.engine(PLANS[name](bench.it, 0.2))
    assert caught.value.hint
    assert bench.exit_status == "fail"
    bench.safe()


@pytest.mark.parametrize(
    ("name", "motor", "device"),
    [
        ("find_bragg", "theta", "gonio_theta"),
        ("rocking_curve", "theta", "gonio_theta"),
        ("mosaic_map", "crystal_x", "gonio_x"),
        ("set_detuning", "theta", "gonio_theta"),
        ("detuning_scan", "theta", "gonio_theta"),
        ("collect_pairs", "theta", "gonio_theta"),
        ("distance_from_rings", "theta", "gonio_theta"),
        ("calibrate_tot", "energy", "mono_energy"),
        ("threshold_scan", "slit_x_gap", "slits_x_gap"),
    ],
)
def test_a_stuck_motor_is_named(bench: Bench, name: str, motor: str, device: str) -> None:
    bench.it.goniometer.theta.set(BRAGG_DEG).wait(WAIT_S)  # so that every plan has to move it
    with (
        fault(f"{PREFIX}SIM:{motor}:Stuck", 1),
        pytest.raises(BeamlineError, match=f"{device} did not get to"),
    ):
        bench.engine(PLANS[name](bench.it, 0.2))
    bench.safe()


# what a plan says, in its result or as an error, when everything works and no photon comes
WITHOUT_BEAM = {
    "find_bragg": "is the shutter open",
    "rocking_curve": "is the shutter open",
    "mosaic_map": "is the shutter open",
    "set_detuning": "11.616",
    "detuning_scan": "nothing can be recommended",
    "collect_pairs": "raw data",
    "calibrate_tot": "0 energies with a peak",
    "calibrate_timewalk": "shared photons in only 0 pairs",
    "find_hot_pixels": "0 hot pixels",
    "threshold_scan": "Lowest quiet threshold",
    "find_center": "0 net pairs",
    "distance_from_rings": "0 net pairs",
    "classical_image": "100 were asked, expose longer",
    "count_pairs": "No clear pairs",
}


LIT = [n for n in EXPOSURES if n not in ("find_hot_pixels", "threshold_scan")]


@pytest.mark.parametrize("name", PLANS)
def test_no_beam_is_told(bench: Bench, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    ring = bench.it.ring.current
    full_ma = float(ring.get(use_monitor=False))
    with fault(f"{PREFIX}Ring-I-SP", 0.0, full_ma):
        bench.wait_until(lambda: ring.get(use_monitor=False) < 1.0, WAIT_S, "no beam")
        try:
            said = str(bench.engine(PLANS[name](bench.it, 0.2)).plan_result)
        except TwinbeamError as error:
            said = str(error)
        assert WITHOUT_BEAM[name] in said
        told = "is there beam" in capsys.readouterr().err
        assert told == (name in LIT and name not in ("collect_pairs", "detuning_scan"))
    bench.wait_until(lambda: ring.get(use_monitor=False) > 0.9 * full_ma, WAIT_S, "beam")
    bench.safe()


SAID_WITHOUT_BEAMLINE = {
    "set_detuning": PREFIX,  # which leaves the shutter alone
    "find_hot_pixels": "shutter_status: does not answer",  # which only make sure that it is closed
    "threshold_scan": f"{PREFIX}|shutter_status: does not answer",
}
KILLED = [
    ("detector", name, f"{DETECTOR}|does not answer")
    for name in EXPOSURES
    if name != "collect_pairs"  # which waits: see below
]
KILLED += [
    ("beamline", name, SAID_WITHOUT_BEAMLINE.get(name, "shutter was not closed"))
    for name in (PLANS if ALL else SCANS)
]


@pytest.mark.parametrize(("which", "name", "said"), KILLED)
def test_an_ioc_that_dies_is_told_and_found_again(
    bench: Bench, which: str, name: str, said: str
) -> None:
    killers: list[threading.Thread] = []
    count = iter(range(10**9))
    at = 1 if name == "set_detuning" else 60

    def hook(message: Any) -> None:
        exposing = message.command in ("trigger", "kickoff")
        if not killers and (exposing if name in EXPOSURES else next(count) == at):
            killers.append(threading.Thread(target=bench.iocs.kill, args=(which,)))
            killers[0].start()

    bench.engine.msg_hook = hook
    with pytest.raises(BeamlineError, match=said):
        bench.engine(PLANS[name](bench.it, 1.0))
    bench.engine.msg_hook = None
    killers[0].join(WAIT_S)
    bench.iocs.start(which)
    everything = bench.it.devices
    bench.wait_until(lambda: all(each.connected for each in everything), WAIT_S, "all are back")
    bench.safe()
    bench.it.goniometer.theta.set(BRAGG_DEG + 0.04).wait(WAIT_S)
    assert bench.engine(PLANS[name](bench.it, 0.2)).exit_status == "success"


def test_a_collection_goes_on_when_the_detector_is_back(bench: Bench) -> None:
    killers: list[threading.Thread] = []

    def restart() -> None:
        bench.iocs.kill("detector")
        bench.iocs.start("detector")

    def kill(name: str, _: Any) -> None:
        if name == "event_page" and not killers:
            killers.append(threading.Thread(target=restart))
            killers[0].start()

    bench.engine.subscribe(kill)
    it = bench.it
    plan = plans.collect_pairs(
        it.detector, it.shutter, seconds=3.0, frame_s=0.1, bragg_deg=BRAGG_DEG, flush_s=0.05,
        retry_wait_s=1.0, retries=100,
    )  # fmt: skip
    result = bench.engine(plan).plan_result
    killers[0].join(WAIT_S)
    assert result.frames == 30
    assert len(result.acquisitions) >= 2
    assert bench.exit_status == "success"
    bench.safe()
