"""`twinbeam process`: real and simulated bytes, and everything that is no raw file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from twinbeam.simulate import Truth


def closes(ledger: dict[str, Any]) -> bool:
    return all(
        stage["in"] == stage["used"] + sum(stage["rejected"].values()) + stage["dropped"]
        for stage in ledger.values()
    ) and all(stage["held"] == 0 for stage in ledger.values())


@pytest.mark.parametrize(
    ("name", "hits", "span_s"),
    [("chx/chx_serval_4_3.tpx3", 2956, 2.0), ("other/sophiread_serval32.tpx3", 98548, 120.0)],
)
def test_real_file(
    twinbeam: Any, shared_data: Path, tmp_path: Path, name: str, hits: int, span_s: float
) -> None:
    out = tmp_path / "r.h5"
    done = twinbeam("process", shared_data / name, "--out", out, "--photons", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["hits"] == hits
    assert closes(said["ledger"])
    assert said["duration_s"] == pytest.approx(span_s, abs=0.01)
    with h5py.File(out) as file:
        photons = file["entry/photons"]
        assert photons["n_hits"][:].sum() == hits
        assert len(photons["t"]) == said["photons"]
        assert np.all(np.diff(photons["t"][:]) >= 0)
        assert file["entry/images/singles"][:].sum() == said["photons"]
        x, y = photons["x"][:], photons["y"][:]
        assert x.min() >= 0
        assert max(x.max(), y.max()) <= 513


def test_the_chx_photons_are_sensible(twinbeam: Any, shared_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.h5"
    done = twinbeam(
        "process", shared_data / "chx/chx_serval_4_3.tpx3", "--out", out, "--photons", "--json"
    )
    assert json.loads(done.stdout)["photons"] == pytest.approx(2074, rel=2e-3)
    with h5py.File(out) as file:
        low, middle, high = np.percentile(file["entry/photons/tot_ns"][:], [25, 50, 75])
    # the published quartiles of this file are 1300, 1475 and 1675 ns
    assert (low, middle, high) == pytest.approx((1300, 1475, 1675), abs=25)


def test_found_pairs_are_the_true_ones(
    twinbeam: Any, simulated: tuple[Path, Path, dict[str, int]], tmp_path: Path
) -> None:
    raw, truth, made = simulated
    out = tmp_path / "r.h5"
    done = twinbeam("process", raw, "--out", out, "--json")
    said = json.loads(done.stdout)
    assert said["hits"] == made["hits"]
    assert closes(said["ledger"])
    real = Truth.read_parquet(truth)
    assert int(real.detected.sum()) == made["pairs_detected"]
    assert said["pairs"]["net"] == pytest.approx(made["pairs_detected"], rel=0.12)
    with h5py.File(out) as file:
        pairs = file["entry/pairs"]
        prompt = pairs["replica"][:] == 0
        assert prompt.sum() == said["pairs"]["prompt"]
        nearest = np.abs(pairs["t"][:][prompt][:, None] - real.t[None, :]).min(axis=1)
        assert np.mean(nearest < 128) > 0.97


def test_plain_output_names_the_ledger(
    twinbeam: Any, simulated: tuple[Path, Path, dict[str, int]]
) -> None:
    done = twinbeam("process", simulated[0])
    assert done.returncode == 0
    assert "closes" in done.stdout
    assert "OPEN" not in done.stdout


def test_recipe_file_is_used(
    twinbeam: Any, simulated: tuple[Path, Path, dict[str, int]], tmp_path: Path
) -> None:
    recipe = tmp_path / "narrow.yaml"
    recipe.write_text("pairing:\n  photon_kev: [7.0, 7.1]\n")
    done = twinbeam("process", simulated[0], "--recipe", recipe, "--json")
    narrow = json.loads(done.stdout)
    wide = json.loads(twinbeam("process", simulated[0], "--json").stdout)
    assert narrow["recipe_hash"] != wide["recipe_hash"]
    assert narrow["pairs"]["prompt"] < wide["pairs"]["prompt"] / 10
    assert narrow["photons"] == wide["photons"]


@pytest.mark.parametrize("kind", ["missing", "empty", "foreign", "folder"])
def test_what_is_no_raw_file_gives_one_clear_line(twinbeam: Any, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"{kind}.tpx3"
    if kind == "empty":
        path.touch()
    elif kind == "foreign":
        path.write_bytes(b"\x89PNG not a raw file" * 1000)
    elif kind == "folder":
        path.mkdir()
    for command in ("process", "info"):
        done = twinbeam(command, path)
        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1
        assert done.stderr.startswith("error: ")
        assert str(path) in done.stderr


def test_truncated_file_is_counted(
    twinbeam: Any, simulated: tuple[Path, Path, dict[str, int]], tmp_path: Path
) -> None:
    cut = tmp_path / "cut.tpx3"
    whole = simulated[0].read_bytes()
    cut.write_bytes(whole[: len(whole) // 2 // 8 * 8 + 3])
    done = twinbeam("process", cut, "--json")
    assert done.returncode == 0
    said = json.loads(done.stdout)
    assert closes(said["ledger"])
    assert said["ledger"]["bytes"]["rejected"]["truncated"] == 3
    assert 0 < said["hits"] < simulated[2]["hits"]


def test_the_stream_goes_on_in_a_file_without_a_header(
    twinbeam: Any, simulated: tuple[Path, Path, dict[str, int]], tmp_path: Path
) -> None:
    whole = simulated[0].read_bytes()
    at = whole.index(b"TPX3", len(whole) // 2) + 21
    cuts = [0, at, whole.index(b"TPX3", at), len(whole)]
    pieces = [tmp_path / f"run_{i:06d}.tpx3" for i in range(3)]
    for i, path in enumerate(pieces):
        path.write_bytes(whole[cuts[i] : cuts[i + 1]])
    done = twinbeam("process", *pieces, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["hits"] == simulated[2]["hits"]
    done = twinbeam("calibrate", "pixels", *pieces, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["hits_used"] + said["hits_rejected"] == simulated[2]["hits"]


def test_out_that_cannot_be_written(
    twinbeam: Any, simulated: tuple[Path, Path, dict[str, int]], tmp_path: Path
) -> None:
    done = twinbeam("process", simulated[0], "--out", tmp_path / "no" / "r.h5")
    assert done.returncode == 1
    assert "no/r.h5" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_raw_file_is_never_replaced(
    twinbeam: Any, simulated: tuple[Path, Path, dict[str, int]], tmp_path: Path
) -> None:
    raw = tmp_path / "b.tpx3"
    raw.write_bytes(simulated[0].read_bytes())
    link = tmp_path / "link.h5"
    link.symlink_to(raw)
    for out in (raw, link):
        done = twinbeam("process", raw, "--out", out)
        assert done.returncode == 1
        assert "would replace a raw file" in done.stderr
    done = twinbeam("simulate", "--out", raw, "--seconds", "0.1")
    assert done.returncode == 1
    assert "--force" in done.stderr
    assert raw.read_bytes() == simulated[0].read_bytes()
    assert twinbeam("simulate", "--out", raw, "--seconds", "0.1", "--force").returncode == 0
    assert raw.read_bytes() != simulated[0].read_bytes()


def test_a_file_given_twice_is_refused(
    twinbeam: Any, simulated: tuple[Path, Path, dict[str, int]]
) -> None:
    done = twinbeam("process", simulated[0], simulated[0])
    assert done.returncode == 1
    assert "given twice" in done.stderr


def test_damage_is_said(
    twinbeam: Any, simulated: tuple[Path, Path, dict[str, int]], tmp_path: Path
) -> None:
    cut = tmp_path / "[red]cut.tpx3"
    cut.write_bytes(simulated[0].read_bytes()[:100_003])
    done = twinbeam("process", cut, "--out", tmp_path / "[red].h5")
    assert done.returncode == 0
    assert "warning: the raw data are damaged" in done.stderr
    assert "[red].h5" in done.stdout
    assert (tmp_path / "[red].h5").exists()
    assert twinbeam("process", simulated[0]).stderr == ""
