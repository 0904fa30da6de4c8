"""The fake Serval as a process of its own, asked by a client that knows only HTTP and TCP."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from sim_iocs.network import reserve
from twinbeam.simulate import Experiment, SimulationParameters
from twinbeam.tpx3 import Decoder, read_hits

_TIMEOUT_S = 60.0


class Client:
    """A client of Serval as others write it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def request(self, path: str, put: Any = None) -> tuple[int, str, str]:
        """Status, kind of content, and content."""
        data = (
            None if put is None else (put if isinstance(put, bytes) else json.dumps(put).encode())
        )
        headers = {"Content-Type": "application/json"} if data is not None else {}
        method = "GET" if data is None else "PUT"
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
                return answer.status, answer.headers["Content-Type"], answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers["Content-Type"], error.read().decode()

    def get(self, path: str) -> Any:
        code, kind, text = self.request(path)
        assert (code, kind.split(";")[0]) == (200, "application/json"), text
        return json.loads(text)

    def put(self, path: str, value: Any) -> None:
        code, _, text = self.request(path, value)
        assert code == 200, text

    def raw(self, message: bytes) -> bytes:
        """Everything that is answered to some bytes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=_TIMEOUT_S) as sock:
            sock.sendall(message)
            sock.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: sock.recv(65536), b""))


@pytest.fixture(scope="module")
def serval(run_iocs) -> Iterator[Client]:
    arguments = ("--port=0", "--background-rate-hz=5e4", "--tdc-rate-hz=1000", "--trigger-hz=20")
    with run_iocs("serval", *arguments) as (_, lines):
        yield Client(int(lines[0].rpartition(":")[2]))


@pytest.fixture
def idle(serval, wait_until) -> Iterator[Client]:
    yield serval
    serval.request("/measurement/stop")
    wait_until(
        lambda: serval.get("/measurement")["Info"]["Status"] == "DA_IDLE", 60.0, what="DA_IDLE"
    )


@pytest.fixture
def port() -> int:
    return _free_port()


def _free_port() -> int:
    (found,), held = reserve(1)
    for each in held:
        each.close()
    return found


def _configure(serval: Client, **changes: Any) -> dict[str, Any]:
    config = serval.get("/detector/config")
    config |= {"TriggerMode": "CONTINUOUS", "ExposureTime": 0.05, "TriggerPeriod": 0.05}
    config |= {"nTriggers": 4, **changes}
    serval.put("/detector/config", config)
    return config


def _wait_idle(serval: Client, wait_until) -> dict[str, Any]:
    def done() -> bool:
        return serval.get("/dashboard")["Measurement"]["Status"] == "DA_IDLE"

    wait_until(done, 60.0, what="DA_IDLE")
    return serval.get("/dashboard")["Measurement"]


def test_config_is_read_changed_and_refused(idle):
    config = _configure(idle, BiasVoltage=80, BiasEnabled="true", Tdc=["PN0123", "N0"])
    held = idle.get("/detector/config")
    assert held == {**config, "BiasEnabled": True}
    code, kind, text = idle.request("/detector/config", {**config, "ExposureTime": 11})
    assert (code, kind.split(";")[0]) == (400, "text/plain")
    assert "ExposureTime" in text
    assert idle.get("/detector/config") == held
    _configure(idle, BiasVoltage=0, Tdc=["P0123", "P0123"])


def _trigger(serval: Client, wait_until, frame: int) -> None:
    """Trigger by software and wait for the end of the frame."""

    def sent() -> bool:
        return serval.request("/measurement/trigger/start")[0] == 200

    def done() -> bool:
        return serval.get("/measurement")["Info"]["FrameCount"] > frame

    wait_until(sent, 60.0, what="trigger")
    wait_until(done, 60.0, what=f"frame {frame}")


def test_measurement_writes_files_and_streams_the_same(idle, port, tmp_path, wait_until):
    mode = {"TriggerMode": "SOFTWARESTART_TIMERSTOP", "ExposureTime": 0.1, "nTriggers": 2}
    _configure(idle, **mode, GlobalTimestampInterval=0.05)
    destination = {
        "Raw": [
            {"Base": f"file:{tmp_path}", "FilePattern": "r_", "SplitStrategy": "frame"},
            {"Base": f"tcp://listen@localhost:{port}", "QueueSize": 16384},
        ]
    }
    idle.put("/server/destination", destination)
    held = idle.get("/server/destination")
    assert held["Raw"][0] == {**destination["Raw"][0], "QueueSize": 16384}
    code, _, text = idle.request("/measurement/start?anon=true&key=value")
    assert code == 200, text
    with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S) as sock:
        assert idle.request("/measurement/start")[0] == 409
        for frame in range(2):  # not before somebody reads
            _trigger(idle, wait_until, frame)
        data = b"".join(iter(lambda: sock.recv(65536), b""))
    progress = _wait_idle(idle, wait_until)
    files = sorted(tmp_path.glob("r_*.tpx3"))
    assert [path.name for path in files] == [f"r_{n:06d}.tpx3" for n in range(2)]
    assert data == b"".join(path.read_bytes() for path in files)
    n_hits = len(read_hits(*files))
    assert n_hits > 1000
    assert progress["FrameCount"] == 2
    assert progress["PixelEventRate"] == pytest.approx(n_hits / progress["ElapsedTime"], rel=0.01)
    assert progress["Tdc1EventRate"] == pytest.approx(1000, rel=0.1)
    assert idle.get("/dashboard")["Server"]["DiskSpace"][0]["FreeSpace"] > 0


def _message(port: int) -> tuple[dict[str, Any], bytes]:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S) as sock,
        sock.makefile("rb") as stream,
    ):
        header = json.loads(stream.readline())
        size = header.get("dataSize")
        return header, stream.read(size)


def test_preview_and_histogram_are_streamed(idle, port):
    other = _free_port()
    _configure(idle, nTriggers=1_000_000)
    image = {"Base": f"tcp://listen@localhost:{port}", "Format": "jsonimage", "Mode": "count"}
    histogram = {
        "Base": f"tcp://listen@localhost:{other}",
        "Format": "jsonhisto",
        "Mode": "tof",
        "NumberOfBins": 100,
        "BinWidth": 1e-5,
        "Offset": 0,
    }
    preview = {"Period": 0.1, "SamplingMode": "skipOnFrame"}
    preview |= {"ImageChannels": [image], "HistogramChannels": [histogram]}
    idle.put("/server/destination", {"Preview": preview})
    assert idle.request("/measurement/start")[0] == 200
    header, data = _message(port)
    assert (header["width"], header["height"], header["pixelFormat"]) == (512, 512, "uint16")
    assert len(data) == 2 * 512 * 512
    assert np.frombuffer(data, ">u2").sum() > 500
    header, data = _message(other)
    bins = np.frombuffer(data, ">u4")
    assert header["binSize"] == bins.size == 100
    assert header["binWidth"] == 38400
    # as many hits in each bin, within a period of the TDC pulses of 1 kHz
    assert bins.sum() > 500
    assert bins.min() > 0.2 * bins.mean()


def test_software_trigger(idle, tmp_path, wait_until):
    _configure(idle, TriggerMode="SOFTWARESTART_TIMERSTOP", nTriggers=2)
    idle.put("/server/destination", {"Raw": [{"Base": f"file:{tmp_path}", "FilePattern": "s_"}]})
    assert idle.request("/measurement/trigger/start")[0] == 409
    assert idle.request("/measurement/start")[0] == 200
    for frame in range(2):
        _trigger(idle, wait_until, frame)
    assert _wait_idle(idle, wait_until)["FrameCount"] == 2


def test_pulses_on_the_trigger_input(idle, tmp_path, wait_until):
    _configure(idle, TriggerMode="PEXSTART_NEXSTOP", nTriggers=3)
    idle.put("/server/destination", {"Raw": [{"Base": f"file:{tmp_path}", "FilePattern": "e_"}]})
    assert idle.request("/measurement/start")[0] == 200
    assert _wait_idle(idle, wait_until)["FrameCount"] == 3


def test_chips_and_layout(idle):
    assert len(idle.get("/detector/chips")) == 4
    idle.put("/detector/chips/1/dacs", {"Vthreshold_fine": 260})
    assert idle.get("/detector")["Chips"][1]["DACs"]["Vthreshold_fine"] == 260
    assert idle.request("/detector/layout/rotate?direction=180")[0] == 200
    assert idle.get("/detector/layout")["DetectorOrientation"] == "DOWN"
    assert idle.request("/detector/layout/rotate?reset=true")[0] == 200


@pytest.mark.parametrize(
    ("path", "put", "code"),
    [
        ("/nowhere", None, 404),
        ("/detector/chips/9", None, 404),
        ("/dashboard", {}, 405),
        ("/nowhere", {}, 404),
        ("/detector/config", b"\xff\xfe{", 400),
        ("/detector/config", b"", 400),
        ("/server/destination", {"Raw": [{"Base": "nowhere"}]}, 400),
        ("/measurement/config", {"Stem": 3}, 400),
        ("/config/load?format=pixelconfig&file=/nowhere", None, 400),
        ("/%2e%2e/etc/passwd", None, 404),
    ],
)
def test_errors_are_plain_text(serval, path, put, code):
    answered, kind, text = serval.request(path, put)
    assert answered == code
    assert kind.startswith("text/plain")
    assert text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"garbage\r\n\r\n", 400),
        (b"GET dashboard HTTP/1.1\r\n\r\n", 400),
        (b"GET /dashboard HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET /dashboard HTTP/1.1\r\nHost: x", 400),
        (b"PUT /detector/config HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"PUT /detector/config HTTP/1.1\r\nContent-Length: 10\r\n\r\n{}", 400),
        (b"PUT /detector/config HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n", 413),
        (b"PUT /detector/config HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"PATCH /dashboard HTTP/1.1\r\nConnection: close\r\n\r\n", 405),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
    ],
)
def test_bytes_that_are_no_request_are_refused(serval, message, code):
    answer = serval.raw(message)
    assert answer.startswith(f"HTTP/1.1 {code} ".encode())
    assert serval.request("/dashboard")[0] == 200


def test_connection_is_kept_and_head_has_no_body(serval):
    connection = http.client.HTTPConnection("127.0.0.1", serval.port, timeout=_TIMEOUT_S)
    try:
        for _ in range(3):
            connection.request("GET", "/detector/info")
            answer = connection.getresponse()
            assert json.loads(answer.read())["NumberOfChips"] == 4
            sock = connection.sock
        connection.request("HEAD", "/dashboard")
        answer = connection.getresponse()
        assert int(answer.headers["Content-Length"]) > 100
        assert answer.read() == b""
        assert connection.sock is sock
    finally:
        connection.close()


def test_recording_is_played_in_a_loop_and_ctrl_c_ends_it(run_iocs, tmp_path, port):
    source = Experiment(SimulationParameters(background_rate_hz=2e4), seed=3)
    recording = tmp_path / "recorded.tpx3"
    recording.write_bytes(source.start() + source.advance(0.1) + source.stop())
    arguments = ("serval", "--port=0", f"--playback={recording}", "--loop")
    with run_iocs(*arguments) as (process, lines):
        serval = Client(int(lines[0].rpartition(":")[2]))
        _configure(serval, ExposureTime=0.5, TriggerPeriod=0.5, nTriggers=1_000_000)
        stream = {"Base": f"tcp://listen@localhost:{port}"}
        serval.put("/server/destination", {"Raw": [stream]})
        assert serval.request("/measurement/start")[0] == 200
        with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S) as sock:
            data = b""
            while len(data) < 4 * recording.stat().st_size:
                data += sock.recv(65536)
            # in the middle of a measurement, with a reader and a connection that is kept
            with socket.create_connection(("127.0.0.1", serval.port)):
                process.send_signal(signal.SIGINT)
                assert process.wait(60) == 0
    decoder = Decoder()
    t = decoder.feed(data[: len(data) // 8 * 8]).t
    assert len(t) > 3.5 * len(read_hits(recording))
    assert np.diff(t).min() > -2e6
    assert int(t.max()) - int(t.min()) > 3 * 0.1e9 / 1.5625


@pytest.mark.parametrize("what", ["port", "file", "rate"])
def test_wrong_options_say_why(tmp_path, what):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        options = {
            "port": f"--port={held.getsockname()[1]}",
            "file": f"--playback={tmp_path / 'none'}",
            "rate": "--background-rate-hz=-1",
        }
        ended = subprocess.run(
            [
                sys.executable,
                "-m",
                "sim_iocs",
                "serval",
                options[what],
                f"--parent-pid={os.getpid()}",
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: ")
    assert "Traceback" not in ended.stderr
