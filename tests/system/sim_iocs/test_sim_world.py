"""The crystal's map, the sensor's settings and moving masks, all over Channel Access."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim_iocs.beamline import Crystal, load_beamline
from sim_iocs.beamline.description import SampleDescription
from sim_iocs.beamline.optics import foil_transmission
from sim_iocs.beamline.sample_mask import SampleMask
from sim_iocs.detector.sample import sample_of
from twinbeam.errors import RecipeError
from twinbeam.tpx3 import read_hits

THETA = "ES{Gon-Ax:Th}Mtr"
STOP_X = "ES{BS:Tpx3-Ax:X}Mtr"
REPOSITORY = Path(__file__).parents[3]


def test_a_map_of_the_crystal_has_its_minimum_where_the_seed_put_it(sim: Any) -> None:
    """The width follows from the intensity on top of the local curve and 1.5 mdeg beside it."""
    sim.put("Sht-Cmd:Opn", 1)
    sim.put("Mon-Time", 0.02)

    def counts() -> float:
        sim.put("Mon-Cnt", 1)
        return float(sim.get("Mon-I"))

    rows = []
    for x in np.linspace(-0.8, 0.8, 5):
        for y in np.linspace(-0.8, 0.8, 5):
            sim.put_all({"Gon-x": float(x), "Gon-y": float(y)})
            bragg = sim.get("World:Bragg_RBV")
            rates = []
            for offset in (-0.002, 0.0):  # from below: the goniometer has play
                sim.put(THETA, bragg - 0.02)
                sim.put(THETA, bragg + offset)
                rates.append(counts())
            rows.append((x, y, 2.0 / np.sqrt(np.log(rates[1] / rates[0]))))
    sim.put_all({"Gon-x": 0.0, "Gon-y": 0.0, THETA: 11.5})
    sim.put(THETA, 11.526)
    x, y, width = np.array(rows).T
    # a Gaussian hollow is a parabola in the logarithm near its middle
    near = np.hypot(x - x[width.argmin()], y - y[width.argmin()]) < 0.9
    terms = np.stack([np.ones(25), x, y, x * x, x * y, y * y], axis=1)[near]
    _, bx, by, xx, xy, yy = np.linalg.lstsq(terms, width[near], rcond=None)[0]
    found = np.linalg.solve([[2 * xx, xy], [xy, 2 * yy]], [-bx, -by])
    grown = Crystal.grown(load_beamline().crystal, seed=1)
    assert found == pytest.approx((grown.best_x_mm, grown.best_y_mm), abs=0.12)


@pytest.fixture
def light(sim: Any) -> Any:
    sim.put_all({THETA: 11.616, "Sht-Cmd:Opn": 1})
    yield sim
    sim.put(STOP_X, 0.0)


def test_thresholds_and_bias_change_what_is_counted(
    faulty: Any, light: Any, tmp_path: Path
) -> None:
    def counted(name: str) -> Any:
        folder = tmp_path / name
        folder.mkdir()
        faulty.configure(folder, frames=1, exposure_s=0.2)
        faulty.cam.put("Acquire", 1)
        # the last readings come after the put is complete
        hits = read_hits(folder / "a_000000.tpx3")
        faulty.wait_fault("HitsOut", len(hits))
        faulty.wait_fault("HitsMade", len(hits))
        return hits

    cam = faulty.cam
    usual = np.bincount(counted("usual").chip, minlength=4)
    assert usual.min() > 100
    cam.put("CHIP0_Vth_coarse", 3)
    above = np.bincount(counted("above").chip, minlength=4)
    assert above[0] == 0
    assert above[1] == pytest.approx(usual[1], rel=0.3)
    cam.put_all({"CHIP0_Vth_coarse": 6, "BiasVolt": 100, "BiasEnbl": 1})
    assert len(counted("biased")) == pytest.approx(usual.sum(), rel=0.3)
    cam.put("BiasEnbl", 0)
    assert len(counted("dark")) == 0
    cam.put("BiasEnbl", 1)
    assert len(counted("again")) == pytest.approx(usual.sum(), rel=0.3)


def test_background_follows_the_beam_stop_within_a_run(
    cam: Any, light: Any, raw_folder: Any, wait_until: Any
) -> None:
    folder = raw_folder(frames=1000, exposure_s=0.1)
    light.put(STOP_X, 0.0)
    done = cam.begin("Acquire", 1)

    def hidden() -> float:
        """Hits behind the stop in the newest frame that is complete; NaN before there is one."""
        path = folder / f"run_00001_{cam.get('FrameCnt_RBV') - 2:06d}.tpx3"
        if not path.exists():
            return np.nan
        hits = read_hits(path)
        # on the 512 grid, where the axis is at 256
        away = np.maximum(np.abs(hits.x - 256.0), np.abs(hits.y - 256.0))
        return float(np.sum(away < 100.0))

    # what moved is heard of a little later, so each is waited for
    wait_until(lambda: hidden() < 15, 60, "nothing is seen behind the stop")
    light.put(STOP_X, 30.0)
    wait_until(lambda: hidden() > 50, 60, "what the stop had hidden is seen")
    assert cam.get("Acquire_RBV") == 1, "in the same run"
    cam.put("Acquire", 0)
    assert done.wait(60)


@pytest.mark.parametrize("shape", ["edge", "picture"])
def test_a_sample_absorbs_by_energy(shape: str, tmp_path: Path) -> None:
    if shape == "picture":
        np.save(tmp_path / "mask.npy", np.array([[1.0, 0.0]]))
        shape = str(tmp_path / "mask.npy")
    made = sample_of(None, {"shape": shape, "thickness_um": 20.0, "width_mm": 10.0})
    mask: SampleMask = made["mask"]
    energies = np.array([7.5, 9.9, 10.5, 14.0])
    passed = mask.transmission(np.full(4, 30.0), np.full(4, 40.0), energies)
    tables = [foil_transmission("tungsten", 20.0, energy) for energy in energies]
    assert passed == pytest.approx(tables, rel=0.02)
    assert passed[2] < 0.2 * passed[1], "beyond the L edge"
    for x, y in ((-30.0, 40.0), (30.0, -40.0)):
        assert mask.transmission(np.array([x]), np.array([y]), np.array([7.5])) == 1.0


def test_samples_that_cannot_be_are_errors(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no picture"):
        sample_of(None, {"shape": str(tmp_path / "missing.png")})
    with pytest.raises(RecipeError, match="no absorption is known of 'unobtainium'"):
        sample_of(None, {"shape": "edge", "material": "unobtainium"})
    assert sample_of(None, {"shape": "none"}) == {"sample": "none"}
    default = sample_of(None, {})["mask"]
    same = SampleMask(SampleDescription(), 55.0)
    places = np.linspace(-200.0, 200.0, 50)
    energies = np.full(50, 9.0)
    assert default.transmission(places, places, energies).tolist() == (
        same.transmission(places, places, energies).tolist()
    )


def test_beamlines_stand_side_by_side(run_iocs: Any, tmp_path: Path) -> None:
    """Two with the same names on one machine, each with its own clients."""

    def tool(lines: list[str], name: str, *arguments: str) -> str:
        exported = dict(
            shlex.split(line)[1].split("=", 1) for line in lines if line.startswith("export ")
        )
        # a repeater would outlive the tool that started it
        patient = ("--no-repeater", "--timeout=60")  # a second by default
        command = [sys.executable, "-m", f"caproto.commandline.{name}", *patient, *arguments]
        environment = {**os.environ, **exported}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=True
        )
        return done.stdout

    made = ("all", "--fast", "--ports=free")
    with (
        run_iocs(*made, f"--data-dir={tmp_path / 'a'}") as (_, one),
        run_iocs(*made, f"--data-dir={tmp_path / 'b'}") as (_, two),
    ):
        tool(one, "put", "SIM:Mon-Time", "0.25")
        assert "0.25" in tool(one, "get", "-t", "SIM:Mon-Time")
        assert "0.25" not in tool(two, "get", "-t", "SIM:Mon-Time")


def test_a_short_soak_and_some_kills_leave_nothing() -> None:
    command = [sys.executable, str(REPOSITORY / "benchmarks" / "soak_iocs.py"), "--json"]
    done = subprocess.run(
        [*command, "--frames=36", "--kills=2"],
        capture_output=True,
        text=True,
        timeout=240,
        cwd=REPOSITORY,
    )
    assert done.returncode == 0, done.stdout + done.stderr
