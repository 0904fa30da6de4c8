"""Clients that know nothing of the simulation use it as they use a detector."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import h5py
import numpy as np
import pytest
from ophyd import Component as Cpt
from ophyd import Device, EpicsSignal, Signal
from ophyd.areadetector import cam as ad_cam
from ophyd.areadetector.base import EpicsSignalWithRBV
from ophyd.areadetector.detectors import AreaDetector
from ophyd.areadetector.filestore_mixins import FileStoreHDF5IterativeWrite
from ophyd.areadetector.paths import EpicsPathSignal
from ophyd.areadetector.plugins import (
    HDF5Plugin_V34,
    ImagePlugin_V34,
    ROIPlugin_V34,
    StatsPlugin_V34,
    TimeSeriesPlugin_V34,
)
from ophyd.areadetector.trigger_mixins import SingleTrigger
from ophyd.device import Staged
from ophyd.status import DeviceStatus

CLIENTS = Path(__file__).parent / "clients"
_TIMEOUT_S = 60.0


@pytest.fixture
def lit(cam, sim):
    """The detector, with beam on it and short exposures."""
    sim.put("Gon-theta", 11.616)
    sim.put("Sht-Cmd:Opn", 1)
    cam.put_all({"ImageMode": 1, "TriggerMode": 5, "AcquireTime": 0.2, "NumImages": 1})
    return cam


@pytest.fixture
def plugins_off(client, beamline):
    """Plugins are as they were before, whatever a client has done to them."""
    names = ("image1:", "Stats1:", "Stats2:", "ROI1:", "HDF1:")
    plugins = {name: client(beamline.prefixes.detector + name) for name in names}
    before = {name: plugin.get("EnableCallbacks") for name, plugin in plugins.items()}
    yield
    for name, plugin in plugins.items():
        plugin.put_all({"EnableCallbacks": before[name], "BlockingCallbacks": 0})
    plugins["HDF1:"].put("Capture", 0)
    plugins["ROI1:"].put_all({"MinX": 0, "SizeX": 1_000_000})
    plugins["Stats2:"].put("NDArrayPort", "ROI1")


# --- ophyd -----------------------------------------------------------------------------------


class _Cam(ad_cam.CamBase):
    # ophyd's warm-up asks for a mode that only cameras have
    trigger_mode = Cpt(Signal, value="Internal", kind="omitted")


class _Hdf5(HDF5Plugin_V34, FileStoreHDF5IterativeWrite):
    pass


class _StockDetector(SingleTrigger, AreaDetector):
    cam = Cpt(_Cam, "cam1:")
    image = Cpt(ImagePlugin_V34, "image1:")
    roi1 = Cpt(ROIPlugin_V34, "ROI1:")
    stats1 = Cpt(StatsPlugin_V34, "Stats1:")
    stats2 = Cpt(StatsPlugin_V34, "Stats2:")
    hdf1 = Cpt(_Hdf5, "HDF1:", write_path_template="/")


@pytest.fixture
def stock(lit, beamline, plugins_off, tmp_path):
    detector = _StockDetector(beamline.prefixes.detector, name="stock")
    detector.hdf1.write_path_template = f"{tmp_path}/"
    yield detector
    detector.destroy()


def test_ophyd_area_detector_classes(stock, lit, tmp_path):
    stock.wait_for_connection(timeout=_TIMEOUT_S)
    stock.hdf1.warmup()
    assert stock.hdf1.array_size.get().width == 512
    stock.roi1.stage_sigs.update({"enable": 1, "min_xyz.min_x": 100, "size.x": 50})
    stock.stats2.stage_sigs.update({"enable": 1, "nd_array_port": "ROI1"})
    stock.stats1.stage_sigs["enable"] = 1
    for stats in (stock.stats1, stock.stats2):
        stats.kind = stats.total.kind = "hinted"
    # acquisition is over when all plugins have the images
    lit.put("WaitForPlugins", 1)
    stock.cam.stage_sigs["num_images"] = 1
    stock.stage()
    try:
        assert stock.hdf1.capture.get() == 1
        for _ in range(2):
            stock.trigger().wait(_TIMEOUT_S)
        reading = stock.read()
        pixels = stock.image.array_data.get()
    finally:
        stock.unstage()
        lit.put("WaitForPlugins", 0)
    files = list(tmp_path.glob("*.h5"))
    assert len(files) == 1
    with h5py.File(files[0], locking=False) as file:
        images = file["entry/data/data"][:]
    assert len(images) >= 2
    assert images.shape[1:] == (512, 512)
    last = images[-1].astype(np.int64)
    assert last.sum() > 100
    assert reading["stock_stats1_total"]["value"] == last.sum()
    assert reading["stock_stats2_total"]["value"] == last[:, 100:150].sum()
    np.testing.assert_array_equal(pixels, last.ravel())


def test_ophyd_sees_how_plugins_are_connected(stock):
    stock.validate_asyn_ports()
    graph, ports = stock.get_asyn_digraph()
    assert set(ports) == {"TPX3", "Image1", "ROI1", "STATS1", "STATS2", "FileHDF1"}
    assert ("ROI1", "STATS2") in graph.edges


# --- the way CHX's profile uses the driver ---------------------------------------------------


class _RawFiles(Device):
    apply = Cpt(EpicsSignal, "WriteData", kind="omitted")
    folder = Cpt(EpicsPathSignal, "RawFilePath", path_semantics="posix")
    template = Cpt(EpicsSignalWithRBV, "RawFileTemplate", string=True)
    enabled = Cpt(EpicsSignalWithRBV, "WriteRaw", string=True)
    paths = Cpt(Signal, value=[], kind="normal")


class _Folders(Device):
    path = Cpt(EpicsSignalWithRBV, "FilePath", string=True)
    depth = Cpt(EpicsSignalWithRBV, "CreateDirectory")


class _BeamlineDetector(Device):
    """Predicts the names of raw files, and completes by the busy record."""

    cam = Cpt(ad_cam.CamBase, "cam1:")
    wait_for_plugins = Cpt(EpicsSignal, "cam1:WaitForPlugins", string=True)
    files = Cpt(_RawFiles, "cam1:")
    folders = Cpt(_Folders, "HDF1:")
    stats1 = Cpt(StatsPlugin_V34, "Stats1:")
    ts1 = Cpt(TimeSeriesPlugin_V34, "Stats1:TS:")

    def stage(self):
        self._count = 0
        self.stats1.enable.set("Enable").wait(_TIMEOUT_S)
        self.wait_for_plugins.set("Yes").wait(_TIMEOUT_S)
        self.folders.depth.set(-3).wait(_TIMEOUT_S)
        self.folders.path.put(self.directory)
        self.files.folder.set(f"file:{self.directory}").wait(_TIMEOUT_S)
        # its readback is what Serval has, so it follows only when all is applied
        self.files.enabled.put("true", wait=True)
        self.files.apply.set(1).wait(_TIMEOUT_S)
        self.cam.image_mode.set(1).wait(_TIMEOUT_S)
        self._staged = Staged.yes

    def trigger(self):
        template = f"abc_{self._count:05d}_"
        self._count += 1
        self.files.template.set(template).wait(_TIMEOUT_S)
        self.files.apply.set(1).wait(_TIMEOUT_S)
        names = [f"{template}{n:06d}.tpx3" for n in range(self.cam.num_images.get())]
        self.files.paths.put([f"{self.directory}{name}" for name in names])
        self.ts1.ts_acquire.set(1).wait(_TIMEOUT_S)
        status = DeviceStatus(self)
        self.cam.acquire.put(
            1, use_complete=True, wait=False, callback=lambda **_: status.set_finished()
        )
        return status

    def unstage(self):
        self.ts1.ts_acquire.set(0).wait(_TIMEOUT_S)
        self.files.enabled.put("false", wait=True)
        self.files.template.set("garbage").wait(_TIMEOUT_S)
        self.files.apply.set(1).wait(_TIMEOUT_S)
        self.wait_for_plugins.set("No").wait(_TIMEOUT_S)
        self._staged = Staged.no


def test_a_device_written_for_the_driver_by_a_beamline(
    lit, beamline, plugins_off, tmp_path, wait_until
):
    lit.put("RawSplitStg", 1)
    detector = _BeamlineDetector(beamline.prefixes.detector, name="tpx3")
    detector.directory = f"{tmp_path}{datetime.now().strftime('/%Y/%m/%d/')}"
    try:
        detector.cam.num_images.set(2).wait(_TIMEOUT_S)
        detector.ts1.ts_num_points.set(2).wait(_TIMEOUT_S)
        detector.stage()
        before = detector.stats1.array_counter.get()
        detector.trigger().wait(_TIMEOUT_S)
        # put-completion waits for the plugins
        assert detector.stats1.array_counter.get() > before
        assert detector.cam.acquire.get() == 0
        paths = [Path(path) for path in detector.files.paths.get()]
        detector.trigger().wait(_TIMEOUT_S)
        paths += [Path(path) for path in detector.files.paths.get()]
        assert len(paths) == 4
        wait_until(lambda: all(path.is_file() for path in paths), 60, f"files {paths}")
        wait_until(lambda: len(np.atleast_1d(detector.stats1.ts_total.get())) >= 1, 60, "points")
        assert np.atleast_1d(detector.stats1.ts_total.get())[0] > 0
        detector.unstage()
    finally:
        detector.destroy()


# --- tools of the command line ---------------------------------------------------------------


def _tool(env, name, *arguments):
    """Standard output of one of caproto's tools."""
    patient = ("--no-repeater", f"--timeout={_TIMEOUT_S}")  # a second by default
    done = subprocess.run(
        [sys.executable, "-m", f"caproto.commandline.{name}", *patient, *arguments],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# a repeater would outlive the tool that started it
_ONCE = ("--no-repeater", "--maximum", "2")


def test_caproto_tools_read_and_write(cam, beamline, wait_until):
    prefix = f"{beamline.prefixes.detector}cam1:"
    out = _tool(beamline.env, "get", f"{prefix}TriggerMode", f"{prefix}DriverVersion_RBV")
    assert "CONTINUOUS" in out
    assert "1.7.2" in out
    out = _tool(beamline.env, "put", f"{prefix}TriggerMode", "AUTOTRIGSTART_TIMERSTOP")
    assert "AUTOTRIGSTART_TIMERSTOP" in out
    wait_until(  # what Serval holds is read every second
        lambda: cam.get("TriggerModeC_RBV", text=True) == "AUTOTRIGSTART_TIMERSTOP", 60, "mode"
    )


def test_caproto_monitor_follows(cam, beamline):
    name = f"{beamline.prefixes.detector}cam1:Gain_RBV"
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "caproto.commandline.monitor", *_ONCE, name],
        env={**os.environ, **beamline.env},
        stdout=subprocess.PIPE,
        text=True,
    ) as monitor:
        try:
            first = monitor.stdout.readline()
            cam.put("Gain", 2.5)
            second = monitor.stdout.readline()
            monitor.wait(_TIMEOUT_S)
        finally:
            monitor.kill()
            cam.put("Gain", 1.0)
    assert name in first
    assert "2.5" in second


# --- other client libraries ------------------------------------------------------------------


def _processes(word: bytes) -> set[str]:
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word in path.read_bytes():
                found.add(path.parent.name)
        except OSError:
            continue
    return found


def _client(script, beamline, *arguments):
    """What a client program printed; it starts no repeater that would outlive it."""
    before = _processes(b"caRepeater")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as repeater:
        # EPICS's client library starts a repeater if nobody holds its port
        repeater.bind(("127.0.0.1", 0))
        port = str(repeater.getsockname()[1])
        done = subprocess.run(
            [sys.executable, CLIENTS / script, beamline.prefixes.detector, *arguments],
            env={**os.environ, **beamline.env, "EPICS_CA_REPEATER_PORT": port},
            capture_output=True,
            text=True,
            timeout=2 * _TIMEOUT_S,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert _processes(b"caRepeater") <= before
    return json.loads(done.stdout.splitlines()[-1])


def _installed(*names):
    return all(importlib.util.find_spec(name) is not None for name in names)


@pytest.mark.skipif(not _installed("epics"), reason="pyepics is not installed")
def test_pyepics(lit, beamline):
    lit.put("Acquire", 1)
    seen = _client("through_pyepics.py", beamline)
    assert seen["states"][5] == "CONTINUOUS"
    assert seen["readback_writable"] is False
    assert seen["text"].startswith("file:/")
    assert seen["rtyp"] == "ao"
    assert seen["free_space"] == pytest.approx(1e3 * time.time(), rel=1e-3)
    assert seen["template"] == "from_pyepics_"
    assert seen["monitor"] is True
    assert seen["busy_after"] == 0
    assert seen["pixels"] == 512 * 512
    assert seen["port"] == "Image1"


@pytest.mark.skipif(
    not _installed("ophyd_async", "aioca"), reason="ophyd-async with aioca is not installed"
)
def test_ophyd_async(lit, beamline, plugins_off, tmp_path):
    # as with every driver, sizes are known only after a first image
    lit.put("Acquire", 1)
    seen = _client("through_ophyd_async.py", beamline, str(tmp_path))
    assert seen["exit"] == "success"
    assert len(seen["totals"]) == 2
    assert min(seen["totals"]) > 100
    assert seen["shape"] == [1, 512, 512]
    with h5py.File(tmp_path / "asynchronous.h5", locking=False) as file:
        images = file["entry/data/data"][:].astype(np.int64)
    assert images[-1].sum() == seen["totals"][-1]
    lit.put("WaitForPlugins", 0)
