"""The command line: output, orderly end, and no process that outlives its parent."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys

import pytest

_ALL = ("all", "--fast", "--ports=free")


def _children(lines):
    said = [line.split() for line in lines if line.startswith("ioc ")]
    return {words[1]: int(words[2].removeprefix("pid=")) for words in said}


def test_output_is_ioc_lines_then_exports(run_iocs, tmp_path):
    env_file = tmp_path / "client.env"
    with run_iocs(*_ALL, f"--data-dir={tmp_path / 'raw'}", f"--env-file={env_file}") as (_, lines):
        kinds = [line.split()[0] for line in lines]
        assert kinds == ["ioc"] * 2 + ["export"] * (len(lines) - 2)
        assert list(_children(lines)) == ["beamline", "detector"]
        exports = [line for line in lines if line.startswith("export ")]
        assert env_file.read_text().splitlines() == exports
        values = dict(shlex.split(line)[1].split("=", 1) for line in exports)
        ports = [line.split()[3].removeprefix("port=") for line in lines if line.startswith("ioc ")]
        assert values["EPICS_CA_ADDR_LIST"] == " ".join(f"127.0.0.1:{port}" for port in ports)
        assert values["EPICS_CA_AUTO_ADDR_LIST"] == "NO"
        assert int(values["EPICS_CA_MAX_ARRAY_BYTES"]) > 512 * 512 * 4
        assert values["TWINBEAM_DATA_DIR"] == str(tmp_path / "raw")
        assert (tmp_path / "raw").is_dir()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_everything_orderly(run_iocs, tmp_path, process_exists, wait_until, number):
    with run_iocs(*_ALL, f"--data-dir={tmp_path}") as (process, lines):
        process.send_signal(number)
        assert process.wait(60) == 0
    for name, pid in _children(lines).items():
        wait_until(lambda pid=pid: not process_exists(pid), what=f"end of {name}")


def test_children_end_when_the_parent_is_killed(run_iocs, tmp_path, process_exists, wait_until):
    with run_iocs(*_ALL, f"--data-dir={tmp_path}") as (process, lines):
        children = _children(lines)
        assert all(process_exists(pid) for pid in children.values())
        process.kill()
        process.wait(60)
    for name, pid in children.items():
        wait_until(lambda pid=pid: not process_exists(pid), what=f"end of {name}")


def test_everything_ends_when_the_starter_is_killed(tmp_path, process_exists, wait_until):
    code = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-m', 'sim_iocs', *sys.argv[1:],"
        " f'--parent-pid={os.getpid()}'])\n"
        "child.wait()\n"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", code, *_ALL, f"--data-dir={tmp_path}"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        lines = []
        assert starter.stdout is not None
        while not lines or lines[-1] != "READY":
            line = starter.stdout.readline()
            assert line, f"ended after {lines}"
            lines.append(line.strip())
    finally:
        starter.kill()
        starter.wait()
        starter.stdout.close()
    for name, pid in _children(lines).items():
        wait_until(lambda pid=pid: not process_exists(pid), what=f"end of {name}")


def test_dead_child_ends_the_rest(run_iocs, tmp_path, process_exists, wait_until, capfd):
    with run_iocs(*_ALL, f"--data-dir={tmp_path}") as (process, lines):
        children = _children(lines)
        os.kill(children["detector"], signal.SIGKILL)
        assert process.wait(60) == 1
    wait_until(lambda: not process_exists(children["beamline"]), what="end of the beamline")
    assert "detector IOC" in capfd.readouterr().err


def test_taken_port_is_an_error_that_names_it(tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        result = subprocess.run(
            [sys.executable, "-m", "sim_iocs", "beamline", f"--port={port}"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert result.returncode == 1
    assert f"port {port}" in result.stderr
    assert "Traceback" not in result.stderr


def test_wrong_rate_is_an_error_that_names_it(tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "sim_iocs", *_ALL, "--pair-rate-hz=-1", f"--data-dir={tmp_path}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 1
    assert "pair_rate_hz" in result.stderr
    assert "Traceback" not in result.stderr


def test_end_during_an_acquisition_completes_the_files(
    run_iocs, client, beamline, tmp_path, wait_until
):
    arguments = [
        "detector",
        "--fast",
        "--detector-prefix=ENDS:",
        f"--port={beamline.spare_ports[0]}",
        f"--beamline=127.0.0.1:{beamline.ports.beamline}",
        f"--data-dir={tmp_path}",
    ]
    with run_iocs(*arguments) as (process, _):
        cam = client("ENDS:cam1:")
        cam.put_all({"ImageMode": 1, "AcquireTime": 10.0, "NumImages": 5, "WriteRaw": 1})
        cam.put_all({"RawFileTemplate": "ends_", "WriteData": 1})
        done = cam.begin("Acquire", 1)
        path = tmp_path / "ends_000000.tpx3"
        wait_until(lambda: path.exists() and path.stat().st_size > 100, what="the first bytes")
        assert not done.is_set()
    assert process.returncode == 0
    # The last bytes close the shutter, and the truth is written after them.
    assert (tmp_path / "ends_000000.tpx3").stat().st_size > 100
    assert (tmp_path / "ends_truth.parquet").exists()
