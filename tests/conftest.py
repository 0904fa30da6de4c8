"""What all tests share: Channel Access bound to loopback, and the simulated beamline."""

from __future__ import annotations

import contextlib
import os
import selectors
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sim_iocs.network import Ports, client_environment, reserve

# A process reads the environment of Channel Access once, when its first client is made. So each
# worker chooses its ports here, at import, and holds them until the servers want them. The spare
# ports are for servers that single tests start; a client searches them too.
_N_SPARE = 2
_PORTS, _HELD = reserve(3 + _N_SPARE)
_SERVERS = Ports(*_PORTS[:3])
_SPARE = tuple(_PORTS[3:])
_ENV = client_environment(_SERVERS)
_ENV["EPICS_CA_ADDR_LIST"] += "".join(f" 127.0.0.1:{port}" for port in _SPARE)
_ENV["OPHYD_CONTROL_LAYER"] = "caproto"
os.environ.update(_ENV)

# A shell lets what it starts in the background ignore Ctrl-C, and so would what tests start.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

Run = tuple[subprocess.Popen[bytes], list[str]]

_READY_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Prefixes:
    """First parts of all names of the two servers."""

    beamline: str
    detector: str


@dataclass(frozen=True)
class SimulatedBeamline:
    """The running simulated beamline, as tests see it."""

    prefixes: Prefixes
    data_dir: Path
    env: dict[str, str]
    ports: Ports
    spare_ports: tuple[int, ...]
    pid: int
    children: dict[str, int]


def _process_exists(pid: int) -> bool:
    """Whether a process runs; one that has ended but was not waited for does not count."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _lines_until_ready(process: subprocess.Popen[bytes], timeout_s: float) -> list[str]:
    """Lines that a process prints before `READY`."""
    assert process.stdout is not None
    deadline = time.monotonic() + timeout_s
    said = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not said.endswith(b"READY\n"):
            if not selector.select(max(deadline - time.monotonic(), 0.0)):
                pytest.fail(f"not ready within {timeout_s} s, but said {said!r}")
            part = os.read(process.stdout.fileno(), 65536)
            if not part:
                pytest.fail(f"ended with {process.wait()} before it was ready; said {said!r}")
            said += part
    return said.decode().splitlines()[:-1]


@contextlib.contextmanager
def _run_iocs(*arguments: str) -> Iterator[Run]:
    """Run `python -m sim_iocs` until the block ends; it must end orderly then."""
    if arguments[0] == "detector":  # READY is to mean that it has the beam, however long that takes
        arguments = (*arguments, "--beam-timeout-s=60")
    process = subprocess.Popen(
        [sys.executable, "-m", "sim_iocs", *arguments, f"--parent-pid={os.getpid()}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    try:
        yield process, _lines_until_ready(process, _READY_TIMEOUT_S)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT_S)
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


@pytest.fixture(scope="session", autouse=True)
def no_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What a user has set for himself is not for tests."""
    os.environ["XDG_CONFIG_HOME"] = str(tmp_path_factory.mktemp("config"))


@pytest.fixture(scope="session")
def process_exists() -> Callable[[int], bool]:
    """Function that says whether a process runs."""
    return _process_exists


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., None]:
    """Function that waits until `condition()` is true and fails the test after `timeout_s`."""

    def wait(
        condition: Callable[[], object], timeout_s: float = 60.0, what: str = "condition"
    ) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"not true within {timeout_s} s: {what}")
            time.sleep(0.01)

    return wait


@pytest.fixture(scope="session")
def run_iocs() -> Callable[..., contextlib.AbstractContextManager[Run]]:
    """Context manager `run_iocs(*arguments)`: a process of its own, and what it printed."""
    return _run_iocs


@pytest.fixture(scope="session")
def compiled() -> None:
    """Simulation and analysis, compiled and cached; other processes find them compiled.

    On a busy machine whose cache is empty that takes a minute and more, for which no deadline of an
    acquisition or of a result allows.
    """
    from twinbeam.pipeline import Pipeline, summary
    from twinbeam.simulate import Experiment

    experiment = Experiment(seed=0)
    pipeline = Pipeline()
    pipeline.feed(experiment.start() + experiment.advance(0.2) + experiment.stop())
    summary(pipeline.finish())


@pytest.fixture(scope="session")
def beamline(
    tmp_path_factory: pytest.TempPathFactory, compiled: None
) -> Iterator[SimulatedBeamline]:
    """Both IOCs on ports of this worker; their processes are gone afterwards."""
    data_dir = tmp_path_factory.mktemp("raw")
    for held in _HELD:
        held.close()
    ports = f"{_SERVERS.beamline},{_SERVERS.detector},{_SERVERS.repeater}"
    with _run_iocs("all", "--fast", f"--ports={ports}", f"--data-dir={data_dir}") as (run, lines):
        said = [line.split() for line in lines if line.startswith("ioc ")]
        children = {words[1]: int(words[2].removeprefix("pid=")) for words in said}
        exported = dict(
            shlex.split(line)[1].split("=", 1) for line in lines if line.startswith("export ")
        )
        yield SimulatedBeamline(
            Prefixes(exported["TWINBEAM_BEAMLINE_PREFIX"], exported["TWINBEAM_DETECTOR_PREFIX"]),
            data_dir,
            _ENV,
            _SERVERS,
            _SPARE,
            run.pid,
            children,
        )
    assert run.returncode == 0, "the simulated beamline did not end orderly"
    left = [name for name, pid in children.items() if _process_exists(pid)]
    assert not left, f"processes left behind: {left}"
