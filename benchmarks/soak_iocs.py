"""A day of the simulated beamline, in minutes: `python benchmarks/soak_iocs.py [--json]`.

A day is taken to be a frame every five seconds: 17 280 frames with their files and events, in
acquisitions of 36 frames of 10 ms with instruments that answer at once. For each acquisition theta
and the shutter move, the monitor counts, the channels are pushed again, and a client connects,
reads and leaves. Memory, open files and threads of both IOCs are sampled after each; the slope of
memory is that of a straight line through all but the first quarter, per day. Then both IOCs are
started and killed so many times, every other time by killing the one that serves the detector, and
it is looked for processes and ports that are left. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

_FRAMES_A_DAY = 17_280
_FRAMES = 36
_EXPOSURE_S = 0.01
_WAIT_S = 60.0
_MOST_MB_A_DAY = 10.0
_FEW = 100  # acquisitions, in which memory is still being taken for the first time


def main() -> int:
    """Run both parts; 1 if something grew or was left."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--frames", type=int, default=_FRAMES_A_DAY, help="frames of the soak")
    parser.add_argument("--kills", type=int, default=100, help="starts that end by SIGKILL")
    parser.add_argument("--json", action="store_true", help="figures as JSON alone")
    options = parser.parse_args()
    made: dict[str, Any] = {}
    if options.frames > 0:
        made["soak"] = soak(options.frames)
    if options.kills > 0:
        made["kills"] = kills(options.kills)
    if options.json:
        print(json.dumps(made))
    else:
        for part, figures in made.items():
            for name, figure in figures.items():
                print(f"{part:6} {name:28} {figure}")
    return 0 if all(figures["good"] for figures in made.values()) else 1


def start(folder: Path) -> tuple[subprocess.Popen[str], dict[str, int], dict[str, str], list[int]]:
    """Start both IOCs; the process, their pids, the environment of a client, and their ports."""
    command = [sys.executable, "-m", "sim_iocs", "all", "--fast", "--ports=free"]
    process = subprocess.Popen(
        [*command, f"--data-dir={folder}", f"--parent-pid={os.getpid()}"],
        stdout=subprocess.PIPE,
        text=True,
    )
    pids: dict[str, int] = {}
    ports: list[int] = []
    exported: dict[str, str] = {}
    assert process.stdout is not None
    for line in process.stdout:
        words = shlex.split(line)
        if words[0] == "ioc":
            pids[words[1]] = int(words[2].removeprefix("pid="))
            ports.append(int(words[3].removeprefix("port=")))
        elif words[0] == "export":
            name, _, value = words[1].partition("=")
            exported[name] = value
        else:
            return process, pids, exported, ports
    raise SystemExit(f"the IOCs ended with status {process.wait()}")


def soak(frames: int) -> dict[str, Any]:
    """Acquire so many frames and see what grows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        process, pids, exported, _ = start(folder)
        os.environ.update(exported)
        began_s = time.monotonic()
        samples: list[dict[str, tuple[float, int, int]]] = []
        n_frames = 0
        try:
            client = _Client(exported)
            client.configure(folder)
            while n_frames < frames:
                n_frames += client.acquire(len(samples))
                for file in folder.glob("soak_*"):
                    file.unlink()
                _visit(exported)
                samples.append({ioc: _resources(pid) for ioc, pid in pids.items()})
            client.close()
        finally:
            process.send_signal(signal.SIGTERM)
            status = process.wait(_WAIT_S)
    figures: dict[str, Any] = {
        "frames": n_frames,
        "acquisitions": len(samples),
        "seconds": round(time.monotonic() - began_s, 1),
        "status_at_the_end": status,
    }
    good = status == 0
    for ioc in pids:
        columns = zip(*(sample[ioc] for sample in samples), strict=True)
        rss, files, threads = (np.array(column) for column in columns)
        late = slice(len(rss) // 4, None)
        at = np.arange(len(rss))[late] * _FRAMES / _FRAMES_A_DAY
        slope = float(np.polyfit(at, rss[late], 1)[0]) if len(at) > 2 else 0.0
        figures[f"{ioc}_mb"] = f"{rss[0]:.1f} … {rss[len(rss) // 4]:.1f} … {rss[-1]:.1f}"
        figures[f"{ioc}_mb_a_day"] = round(slope, 2)
        figures[f"{ioc}_open_files"] = f"{files[late].min()} … {files[late].max()}"
        figures[f"{ioc}_threads"] = f"{threads[late].min()} … {threads[late].max()}"
        good &= slope < _MOST_MB_A_DAY or len(samples) < _FEW
        good &= files[-1] <= files[late][0] + 8 and threads[-1] <= threads[late][0] + 4
    figures["good"] = bool(good)
    return figures


class _Client:
    """A client that stays for the whole time."""

    def __init__(self, exported: dict[str, str]) -> None:
        from caproto.threading.client import Context

        self._context = Context()
        self._beamline = exported["TWINBEAM_BEAMLINE_PREFIX"]
        self._cam = exported["TWINBEAM_DETECTOR_PREFIX"] + "cam1:"
        self._pvs: dict[str, Any] = {}

    def _pv(self, name: str) -> Any:
        if name not in self._pvs:
            (self._pvs[name],) = self._context.get_pvs(name)
            self._pvs[name].wait_for_connection(timeout=_WAIT_S)
        return self._pvs[name]

    def put(self, name: str, value: Any) -> None:
        """Write, and wait until it is complete."""
        self._pv(name).write(value, wait=True, timeout=_WAIT_S)

    def configure(self, folder: Path) -> None:
        """Raw files, one a frame, and the preview; light on the crystal."""
        cam = self._cam
        for name, value in (
            ("ImageMode", 1),
            ("TriggerMode", 4),
            ("AcquireTime", _EXPOSURE_S),
            ("AcquirePeriod", _EXPOSURE_S + 0.003),
            ("NumImages", _FRAMES),
            ("RawFilePath", f"file:{folder}"),
            ("RawSplitStg", 1),
            ("WriteRaw", 1),
            ("WriteData", 1),
        ):
            self.put(cam + name, value)

    def acquire(self, index: int) -> int:
        """Move, count, push the channels, and acquire; the number of frames."""
        cam, beamline = self._cam, self._beamline
        self.put(f"{beamline}Sht-Cmd:Opn", 1)
        self.put(f"{beamline}ES{{Gon-Ax:Th}}Mtr", 11.6 + 1e-3 * (index % 7))
        self.put(f"{beamline}Mon-Time", 0.01)
        self.put(f"{beamline}Mon-Cnt", 1)
        self.put(f"{cam}RawFileTemplate", f"soak_{index:05d}_")
        self.put(f"{cam}WriteData", 1)
        self.put(f"{cam}Acquire", 1)
        deadline = time.monotonic() + _WAIT_S
        while (n := int(self._pv(f"{cam}FrameCnt_RBV").read().data[0])) != _FRAMES:
            if time.monotonic() > deadline:
                raise SystemExit(f"acquisition {index} has {n} frames after {_WAIT_S:.0f} s")
            time.sleep(0.01)
        self.put(f"{beamline}Sht-Cmd:Cls", 1)
        return n

    def close(self) -> None:
        """Hang up."""
        self._context.disconnect()


def _visit(exported: dict[str, str]) -> None:
    """A client that connects, follows, reads, and leaves."""
    from caproto.threading.client import Context

    prefix = exported["TWINBEAM_DETECTOR_PREFIX"]
    context = Context()
    pvs = context.get_pvs(*(f"{prefix}cam1:{name}" for name in ("Acquire", "StatusMessage_RBV")))
    for pv in (*pvs, *context.get_pvs(f"{exported['TWINBEAM_BEAMLINE_PREFIX']}Ring-I")):
        pv.wait_for_connection(timeout=_WAIT_S)
        pv.subscribe()
        pv.read()
    context.disconnect()


def kills(cycles: int) -> dict[str, Any]:
    """Start and kill so many times; what is left of processes and ports."""
    seconds, left_processes, left_ports, wrong_status = [], 0, 0, 0
    with tempfile.TemporaryDirectory() as name:
        for cycle in range(cycles):
            began_s = time.monotonic()
            process, pids, _, ports = start(Path(name))
            seconds.append(time.monotonic() - began_s)
            if cycle % 2:
                os.kill(pids["detector"], signal.SIGKILL)
                wrong_status += process.wait(_WAIT_S) != 1
            else:
                process.kill()
                process.wait(_WAIT_S)
            assert process.stdout is not None
            process.stdout.close()
            left_processes += not _soon(lambda p=pids: not any(map(_runs, p.values())))  # type: ignore[misc]
            left_ports += not _soon(lambda p=ports: all(map(_is_free, p)))  # type: ignore[misc]
    return {
        "cycles": cycles,
        "start_s_median_and_longest": f"{np.median(seconds):.2f}, {max(seconds):.2f}",
        "left_processes": left_processes,
        "ports_still_taken": left_ports,
        "wrong_status": wrong_status,
        "good": not (left_processes or left_ports or wrong_status),
    }


def _soon(condition: Any, timeout_s: float = 10.0) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _resources(pid: int) -> tuple[float, int, int]:
    """Resident memory in MB, open files, threads."""
    status = Path(f"/proc/{pid}/status").read_text()
    values = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    n_files = len(os.listdir(f"/proc/{pid}/fd"))
    return int(values["VmRSS"].split()[0]) / 1024.0, n_files, int(values["Threads"])


if __name__ == "__main__":
    sys.exit(main())
