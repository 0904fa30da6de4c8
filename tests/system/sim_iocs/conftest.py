"""A client of the simulated beamline, and the state each test starts from."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from faulty_detector import FaultyDetector
from ophyd import EpicsSignal

_TIMEOUT_S = 60.0
_NUMBERS = count(1)


class Client:
    """Process variables by name, over real Channel Access."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self._signals: dict[tuple[str, bool], EpicsSignal] = {}
        self._watched: set[tuple[str, bool]] = set()

    def signal(self, name: str, text: bool = False) -> EpicsSignal:
        """The connected signal of a name; `text` for long strings and states in words."""
        if (name, text) not in self._signals:
            signal = EpicsSignal(
                self.prefix + name, name=name, string=text, auto_monitor=False, put_complete=True
            )
            signal.wait_for_connection(timeout=_TIMEOUT_S)
            self._signals[name, text] = signal
        return self._signals[name, text]

    def get(self, name: str, text: bool = False) -> Any:
        return self.signal(name, text).get(timeout=_TIMEOUT_S)

    def put(self, name: str, value: Any) -> None:
        """Write, and wait until the put is complete."""
        self.signal(name, isinstance(value, str)).put(
            value, wait=True, use_complete=True, timeout=_TIMEOUT_S
        )

    def put_all(self, values: dict[str, Any]) -> None:
        for name, value in values.items():
            self.put(name, value)

    def begin(self, name: str, value: Any) -> threading.Event:
        """Write without waiting; the event is set when the put is complete."""
        done = threading.Event()
        self.signal(name, isinstance(value, str)).put(
            value, wait=False, use_complete=True, callback=lambda **_: done.set()
        )
        return done

    def watch(self, name: str, text: bool = False) -> tuple[list[Any], Callable[[], None]]:
        """Values of a record from now on, in order, and a function that ends it."""
        signal, seen = self.signal(name, text), list[Any]()
        token = signal.subscribe(lambda value, **_: seen.append(value), run=False)
        if (name, text) not in self._watched:
            # the server sends the present value first; before that it may not yet have been asked
            deadline = time.monotonic() + _TIMEOUT_S
            while not seen:
                assert time.monotonic() < deadline, f"{name} is not watched"
                time.sleep(0.01)
            seen.clear()
            self._watched.add((name, text))
        return seen, lambda: signal.unsubscribe(token)

    def destroy(self) -> None:
        for signal in self._signals.values():
            signal.destroy()


@pytest.fixture(scope="session")
def client(beamline) -> Iterator[Callable[[str], Client]]:
    """Function that gives the client of a prefix."""
    clients: dict[str, Client] = {}

    def get(prefix: str) -> Client:
        return clients.setdefault(prefix, Client(prefix))

    yield get
    for each in clients.values():
        each.destroy()


@pytest.fixture
def sim(client, beamline) -> Iterator[Client]:
    """The beamline: shutter closed, full current, crystal at its start and off its reflection."""
    pvs = client(beamline.prefixes.beamline)
    yield pvs
    pvs.put("Sht-Cmd:Cls", 1)
    pvs.put_all({"Ring-I-SP": 400.0, "Mon-Time": 0.1, "Gon-x": 0.0, "Gon-y": 0.0})


@pytest.fixture
def cam(client, beamline) -> Iterator[Client]:
    """The driver of the detector; idle, and not writing raw files, before and after a test."""
    pvs = client(f"{beamline.prefixes.detector}cam1:")
    yield pvs
    pvs.put("Acquire", 0)
    pvs.put_all({"WriteRaw": 0, "WritePrvImg": 1, "WriteData": 1})
    pvs.put_all({"ImageMode": 2, "TriggerMode": 5, "AcquireTime": 1.0, "NumImages": 1})


@pytest.fixture
def raw_folder(cam, tmp_path, request) -> Callable[..., Path]:
    """Function that makes raw files go to a fresh folder and configures short frames."""

    def configure(
        *, frames: int = 3, exposure_s: float = 0.1, split: int = 1, template: str = "run_00001_"
    ) -> Path:
        cam.put_all(
            {
                "ImageMode": 1,
                "TriggerMode": 5,
                "AcquireTime": exposure_s,
                "NumImages": frames,
                "RawFilePath": f"file:{tmp_path}",
                "RawFileTemplate": template,
                "RawSplitStg": split,
                "WriteRaw": 1,
                "WriteData": 1,
            }
        )
        return tmp_path

    return configure


@pytest.fixture(scope="module")
def faulty_ioc(run_iocs, client, beamline, tmp_path_factory, request) -> Iterator[FaultyDetector]:
    """A detector that was started with one harmless fault."""
    # names of its own for each file, and for each time a worker comes to it: clients are slow to
    # find one again that has been away
    prefix = f"{request.module.__name__.rpartition('_')[2].upper()}{next(_NUMBERS)}:"
    arguments = [
        "detector",
        "--fast",
        "--fault=file-late=1.5",
        f"--detector-prefix={prefix}",
        f"--port={beamline.spare_ports[1]}",
        f"--beamline=127.0.0.1:{beamline.ports.beamline}",
        f"--data-dir={tmp_path_factory.mktemp('faulty')}",
    ]
    with run_iocs(*arguments):
        made = FaultyDetector(client(f"{prefix}cam1:"), client(f"{prefix}SIM:"))
        assert made.faults.get("FileLate") == 1.5
        yield made


@pytest.fixture
def faulty(faulty_ioc) -> Iterator[FaultyDetector]:
    """The detector without faults; idle before and after a test."""
    yield faulty_ioc
    faulty_ioc.recover()
