"""Acquisitions: files, completion, abort, counters, preview."""

from __future__ import annotations

import pytest

from twinbeam.tpx3 import read_hits

_MAGIC = b"TPX3"


@pytest.fixture
def light(sim):
    """Beam on the crystal, detuned as for pairs."""
    sim.put("Gon-theta", 11.616)
    sim.put("Sht-Cmd:Opn", 1)
    return sim


def _raw_files(folder):
    return sorted(path.name for path in folder.glob("*.tpx3"))


def test_each_frame_gets_a_file(cam, light, raw_folder):
    folder = raw_folder(frames=3, exposure_s=0.1)
    cam.put("Acquire", 1)
    names = [f"run_00001_{n:06d}.tpx3" for n in range(3)]
    assert _raw_files(folder) == names
    for name in names:
        assert (folder / name).read_bytes()[:4] == _MAGIC
    assert cam.get("Acquire") == 0
    assert cam.get("AcquireBusy") == 0


def test_frames_are_slices_of_one_clock(cam, light, raw_folder):
    folder = raw_folder(frames=3, exposure_s=0.1)
    cam.put("Acquire", 1)
    paths = [folder / name for name in _raw_files(folder)]
    whole = folder / "whole.tpx3"
    whole.write_bytes(b"".join(path.read_bytes() for path in paths))
    t_s = read_hits(whole).t * 1.5625e-9
    assert len(t_s) > 1000
    assert 0.0 <= t_s.min() < 0.01
    assert 0.29 < t_s.max() < 0.3005
    # The first bytes of a later file continue where the file before it ended.
    later_s = read_hits(paths[1]).t * 1.5625e-9
    assert 0.09 < later_s.min() < 0.11


def test_single_file_holds_the_whole_run(cam, light, raw_folder):
    folder = raw_folder(frames=3, exposure_s=0.1, split=0)
    cam.put("Acquire", 1)
    assert _raw_files(folder) == ["run_00001_000000.tpx3"]
    t_s = read_hits(folder / "run_00001_000000.tpx3").t * 1.5625e-9
    assert 0.29 < t_s.max() < 0.3005


def test_truth_stands_beside_the_raw_files(cam, light, raw_folder):
    from twinbeam.simulate import Truth

    folder = raw_folder(frames=2, exposure_s=0.2)
    cam.put("Acquire", 1)
    truth = Truth.read_parquet(folder / "run_00001_truth.parquet")
    assert 10 < len(truth) < 400
    assert truth.detuning_deg.mean() == pytest.approx(0.040, abs=0.002)


def test_files_grow_while_acquiring(cam, light, raw_folder, wait_until):
    folder = raw_folder(frames=1000, exposure_s=1.0, split=0)
    done = cam.begin("Acquire", 1)
    path = folder / "run_00001_000000.tpx3"
    wait_until(lambda: path.exists() and path.stat().st_size > 0, what="first bytes")
    size = path.stat().st_size
    wait_until(lambda: path.stat().st_size > size + 10_000, what="more bytes")
    assert not done.is_set()
    cam.put("Acquire", 0)
    assert done.wait(60)


def test_put_completes_at_the_end_and_counters_are_right(cam, light, raw_folder, wait_until):
    raw_folder(frames=1000, exposure_s=0.1)  # it is stopped before its end
    done = cam.begin("Acquire", 1)
    wait_until(lambda: cam.get("DetectorState_RBV", text=True) == "Acquire", what="state")
    assert cam.get("Acquire_RBV", text=True) == "Acquiring"
    assert not done.is_set()
    cam.put("Acquire", 0)
    assert done.wait(60)
    raw_folder(frames=3, exposure_s=0.1)  # it ends by itself
    cam.put("Acquire", 1)
    assert cam.get("DetectorState_RBV", text=True) == "Idle"
    # The driver looks at the counters once more after completion.
    wait_until(lambda: cam.get("ElapsedTime_RBV") == pytest.approx(0.3), what="ElapsedTime_RBV")
    assert cam.get("FrameCnt_RBV") == 3
    assert cam.get("TimeLeft_RBV") == pytest.approx(0.0, abs=1e-9)
    assert cam.get("PelEvtRate_RBV") > 10_000
    assert cam.get("NumImagesCounter_RBV") == 3  # the preview is on
    assert cam.get("Status_RBV") == "DA_IDLE"
    assert cam.get("PipelineState_RBV", text=True) == "DA_IDLE"


def test_status_messages_come_in_order(cam, light, raw_folder, wait_until):
    raw_folder(frames=2, exposure_s=0.2)
    seen, end = cam.watch("StatusMessage_RBV", text=True)
    cam.put("Acquire", 1)
    order = ["Starting acquisition...", "Acquisition running", "Acquisition stopped"]
    wait_until(lambda: order[-1] in seen, what="last message")
    assert [m for m in dict.fromkeys(seen) if m in order] == order
    wait_until(lambda: seen[-1] == "OK", what="OK at the next refresh")
    end()


def test_abort_completes_both_puts(cam, light, raw_folder, wait_until):
    folder = raw_folder(frames=100, exposure_s=0.1)
    done = cam.begin("Acquire", 1)
    wait_until(lambda: len(_raw_files(folder)) > 1, what="files")
    assert not done.is_set()
    cam.put("Acquire", 0)
    assert done.wait(60)
    names = _raw_files(folder)
    assert 1 <= len(names) < 100
    assert names == [f"run_00001_{n:06d}.tpx3" for n in range(len(names))]
    assert (folder / "run_00001_truth.parquet").exists()
    cam.put("NumImages", 1)
    cam.put("Acquire", 1)  # the next run is a normal one
    assert cam.get("FrameCnt_RBV") == 1


def test_second_start_while_acquiring_is_ignored(cam, light, raw_folder):
    folder = raw_folder(frames=2, exposure_s=0.2)
    first = cam.begin("Acquire", 1)
    second = cam.begin("Acquire", 1)
    assert first.wait(60)
    assert second.wait(60)
    assert len(_raw_files(folder)) == 2


def test_new_exposure_stops_the_run(cam, light, raw_folder):
    raw_folder(frames=1000, exposure_s=0.1)
    done = cam.begin("Acquire", 1)
    assert not done.wait(0.2)
    cam.put("AcquireTime", 0.2)
    assert done.wait(60)
    assert cam.get("Acquire") == 0
    assert cam.get("FrameCnt_RBV") < 1000


def test_external_trigger_waits_until_stopped(cam, light, raw_folder):
    raw_folder(frames=2, exposure_s=0.1)
    cam.put("TriggerMode", 2)
    done = cam.begin("Acquire", 1)
    assert not done.wait(0.5)
    assert cam.get("FrameCnt_RBV") == 0
    cam.put("Acquire", 0)
    assert done.wait(60)


def test_shutter_is_closed_between_triggered_frames(cam, light, raw_folder):
    folder = raw_folder(frames=2, exposure_s=0.1, split=0)
    cam.put_all({"TriggerMode": 4, "AcquirePeriod": 0.3})
    cam.put("Acquire", 1)
    t_s = read_hits(folder / "run_00001_000000.tpx3").t * 1.5625e-9
    lit = ((t_s > 0.0) & (t_s < 0.1)) | ((t_s > 0.3) & (t_s < 0.4))
    dark = (t_s > 0.1001) & (t_s < 0.2999)
    assert lit.sum() > 100 * dark.sum()
    assert t_s.max() < 0.41


def test_closed_shutter_gives_dark_counts_only(cam, sim, raw_folder):
    folder = raw_folder(frames=1, exposure_s=0.3)
    cam.put("Acquire", 1)
    assert len(read_hits(folder / "run_00001_000000.tpx3")) < 100


def test_preview_shows_where_hits_fell(cam, client, beamline, light, raw_folder, wait_until):
    image = client(f"{beamline.prefixes.detector}image1:")
    raw_folder(frames=1, exposure_s=0.3)
    counter = image.get("ArrayCounter_RBV")
    cam.put("Acquire", 1)
    wait_until(lambda: image.get("ArrayCounter_RBV") > counter, what="an image")
    pixels = image.get("ArrayData")
    assert pixels.shape == (512 * 512,)
    assert pixels.sum() > 1000
    assert image.get("ArraySize0_RBV") == image.get("ArraySize1_RBV") == 512
    assert cam.get("ArraySizeX_RBV") == 512


def test_preview_is_the_map_of_the_raw_hits(cam, client, beamline, light, raw_folder, wait_until):
    folder = raw_folder(frames=1, exposure_s=0.3)
    image = client(f"{beamline.prefixes.detector}image1:")
    counter = image.get("ArrayCounter_RBV")
    cam.put("Acquire", 1)
    wait_until(lambda: image.get("ArrayCounter_RBV") > counter, what="an image")
    hits = read_hits(folder / "run_00001_000000.tpx3")
    pixels = image.get("ArrayData").reshape(512, 512)
    assert pixels.sum() == len(hits)
    assert pixels[hits.y, hits.x].min() >= 1
