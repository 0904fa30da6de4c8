"""Both IOCs as children of one process that tells clients how to reach them."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from sim_iocs.network import Ports, client_environment, export_lines
from sim_iocs.processes import Child
from twinbeam.errors import BeamlineError

__all__ = ["run_all"]

_START_TIMEOUT_S = 60.0
_BEAM_TIMEOUT_S = 40.0  # both start at once, so the beamline does come
_POLL_S = 0.2


class _Ended(Exception):
    """A signal asked the process to end."""


def run_all(options: argparse.Namespace) -> int:
    """Start both IOCs, print the environment of a client, and stay until a signal.

    Standard output is, in this order: a line `ioc NAME pid=N port=N prefix=P` an IOC, lines
    `export NAME=VALUE` with shell quoting, and `READY`. Nothing follows.

    Raises
    ------
    BeamlineError
        If an IOC does not start, or ends by itself.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    made = options.data_dir is None
    if made:
        options.data_dir = Path(tempfile.mkdtemp(prefix="sim_iocs_"))
    options.data_dir = options.data_dir.resolve()
    options.data_dir.mkdir(parents=True, exist_ok=True)
    children: list[Child] = []
    try:
        for child in _start(options):
            children.append(child)
        for child in children:
            child.wait_ready(_START_TIMEOUT_S)
        _announce(options, children)
        _stay(children, options.parent_pid)
    except _Ended:
        pass
    finally:
        # A second signal must not interrupt the end of the children.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        for child in children:
            child.process.terminate()
        for child in children:
            child.stop()
        if made:
            # A folder with data in it stays.
            with contextlib.suppress(OSError):
                options.data_dir.rmdir()
    return 0


def _end(_number: int, _frame: FrameType | None) -> None:
    raise _Ended


def _start(options: argparse.Namespace) -> Iterator[Child]:
    ports: Ports = options.ports
    common = [f"--seed={options.seed}", f"--beamline-prefix={options.beamline_prefix}"]
    common += ["--fast"] if options.fast else []
    common += ["--verbose"] if options.verbose else []
    detector = [
        f"--beamline=127.0.0.1:{ports.beamline}",
        f"--beam-timeout-s={_BEAM_TIMEOUT_S}",
        f"--detector-prefix={options.detector_prefix}",
        f"--data-dir={options.data_dir}",
        f"--init={options.init}",
        f"--driver={options.driver}",
    ]
    for name in (
        "pair_rate_hz",
        "background_rate_hz",
        "playback",
        "tdc_rate_hz",
        "trigger_hz",
        "complete_after_s",
        "beamline_file",
        "sample",
        "sample_material",
        "sample_thickness_um",
        "sample_width_mm",
    ):
        if (value := getattr(options, name)) is not None:
            detector.append(f"--{name.replace('_', '-')}={value}")
    detector += ["--loop"] if options.loop else []
    detector += [f"--fault={name}={value}" for name, value in options.fault]
    beamline = []
    for name in ("theta_start_deg", "beamline_file"):
        if (value := getattr(options, name)) is not None:
            beamline.append(f"--{name.replace('_', '-')}={value}")
    yield Child("beamline", [*common, *beamline, f"--port={ports.beamline}"])
    yield Child("detector", [*common, *detector, f"--port={ports.detector}"])


def _announce(options: argparse.Namespace, children: list[Child]) -> None:
    ports: Ports = options.ports
    exports = export_lines(
        {
            **client_environment(ports),
            "TWINBEAM_BEAMLINE_PREFIX": options.beamline_prefix,
            "TWINBEAM_DETECTOR_PREFIX": options.detector_prefix,
            "TWINBEAM_DATA_DIR": str(options.data_dir),
        }
    )
    if options.env_file is not None:
        partial = options.env_file.with_name(options.env_file.name + ".part")
        partial.write_text("\n".join(exports) + "\n")
        partial.replace(options.env_file)
    for child, port, prefix in (
        (children[0], ports.beamline, options.beamline_prefix),
        (children[1], ports.detector, options.detector_prefix),
    ):
        print(f"ioc {child.name} pid={child.process.pid} port={port} prefix={prefix}")
    print("\n".join(exports))
    print("READY", flush=True)


def _stay(children: list[Child], parent_pid: int | None) -> None:
    # The kernel could tell of the parent's end, but it means the thread that started this process.
    while parent_pid is None or os.getppid() == parent_pid:
        for child in children:
            if (status := child.process.poll()) is not None:
                raise BeamlineError(f"ended with status {status}", where=f"{child.name} IOC")
        time.sleep(_POLL_S)
