"""`twinbeam bench` and the script that measures several rates."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from twinbeam.cli.bench_stages import STAGES, time_stages
from twinbeam.pipeline import Recipe, process
from twinbeam.simulate import PRESETS, simulate

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bench") / "bench.tpx3"
    simulate(path, seconds=0.05, parameters=PRESETS["benchmark"])
    return path


def bench(
    *arguments: str | Path, folder: Path, path: Path | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run it at 80 columns with a folder of its own for temporary files."""
    search = [str(path)] if path else []
    search += [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []
    return subprocess.run(
        [sys.executable, "-P", "-m", "twinbeam", "bench", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=250,
        env={
            **os.environ,
            "COLUMNS": "80",
            "TMPDIR": str(folder),
            "PYTHONPATH": os.pathsep.join(search),
        },
        cwd=cwd,
        check=False,
    )


@pytest.mark.parametrize("recipe", [{}, {"pairing": {"signal_half": "top_left"}}])
def test_the_stages_do_all_the_work_of_the_pipeline(raw: Path, recipe: dict[str, Any]) -> None:
    chosen = Recipe.from_mapping(recipe)
    times, result = time_stages(raw, chosen), process([raw], chosen)
    assert times.n_bytes == raw.stat().st_size
    assert times.n_hits == result.n_hits > 100_000
    assert times.n_photons == result.n_photons
    assert times.n_pairs == result.estimate.n_prompt > 10
    assert set(times.wall_s) == set(times.cpu_s) == set(STAGES)
    for stage, wall in times.wall_s.items():
        assert 0.0 < wall < 60.0, stage
        assert 0.0 <= times.cpu_s[stage] <= wall + 0.02, stage


def test_numbers_as_json(tmp_path: Path) -> None:
    done = bench("--hits", "2e5", "--repeat", "3", "--workers", "2", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    values = json.loads(done.stdout)
    file = values["file"]
    assert file["hits"] == pytest.approx(2e5, rel=0.05)
    assert file["bytes"] > 8 * file["hits"]
    assert "benchmark preset" in values["simulated"]
    assert list(values["stages"]) == list(STAGES)
    assert [chain["workers"] for chain in values["chain"]] == [1, 2]
    for speed in (*values["stages"].values(), *values["chain"]):
        assert len(speed["wall_s"]) == len(speed["cpu_s"]) == 3
        median = sorted(speed["wall_s"])[1]
        assert speed["mhit_per_s"] == pytest.approx(1e-6 * file["hits"] / median)
        median = sorted(speed["cpu_s"])[1]
        assert speed["cpu_ns_per_hit"] == pytest.approx(1e9 * median / file["hits"])
    for chain in values["chain"]:
        # interpreter < its libraries < the peak with data, less than the machine has
        assert 0 < chain["above_idle_bytes"] < chain["above_bare_bytes"] < chain["peak_bytes"]
        assert 5e7 < chain["peak_bytes"] < 2e9
    assert values["machine"]["usable_processors"] >= 1
    for name, peer in values["peers"].items():
        assert (peer.get("problem") == "not installed") == (find_spec(name) is None)
    assert list(tmp_path.iterdir()) == []


def test_tables_fit_into_80_columns(raw: Path, tmp_path: Path) -> None:
    done = bench("--file", raw, "--repeat", "1", "--workers", "2", "--no-peers", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "…" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    for words in (*STAGES, "Mhit/s", "ns/hit", "twinbeam, 1 worker ", "twinbeam, 2 workers"):
        assert words in done.stdout
    assert raw.name in done.stdout
    assert raw.exists()


def install_peer(site: Path, name: str, code: str) -> None:
    (site / f"{name}-9.8.dist-info").mkdir(parents=True)
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 9.8\n"
    (site / f"{name}-9.8.dist-info" / "METADATA").write_text(metadata)
    (site / f"{name}.py").write_text(code)


def test_other_packages_are_measured_where_they_are_installed(raw: Path, tmp_path: Path) -> None:
    """Stand-ins, so that speed and failure are known: one sleeps, the other cannot read."""
    site, temporary = tmp_path / "site", tmp_path / "tmp"
    temporary.mkdir()
    slow = "import time\ndef convert_tpx3_binary(words):\n"
    slow += "    time.sleep(0.5)\n    return list(words), None\n"
    install_peer(site, "tpx3awkward", slow)
    install_peer(
        site, "rustpix", "def process_tpx3_neutrons(*a, **k):\n    raise OSError('no [file]')\n"
    )
    (tmp_path / "grp.py").write_text("raise RuntimeError('a file of the user is no module')")
    given = ("--file", raw, "--repeat", "2", "--workers", "1")
    done = bench(*given, "--json", folder=temporary, path=site, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    values = json.loads(done.stdout)
    slow_one, broken = values["peers"]["tpx3awkward"], values["peers"]["rustpix"]
    assert slow_one["version"] == "9.8"
    assert slow_one["photons"] == raw.stat().st_size // 8
    # the call alone, without the start of its process; a busy machine may wake it late once
    assert 0.5 <= min(slow_one["wall_s"]) < 1.0
    median = sum(slow_one["wall_s"]) / 2
    assert slow_one["mhit_per_s"] == pytest.approx(1e-6 * values["file"]["hits"] / median)
    (chain,) = values["chain"]
    ratio = chain["mhit_per_s"] / slow_one["mhit_per_s"]
    assert slow_one["twinbeam_is_faster_by"] == {"1": pytest.approx(ratio)}
    assert "no [file]" in broken["problem"]
    shown = bench(*given, folder=temporary, path=site)
    assert shown.returncode == 0
    assert "tpx3awkward 9.8" in shown.stdout
    assert "rustpix: failed with status 1: OSError: no [file]" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--repeat", "0"], "--repeat"),
        (["--workers", "0"], "--workers"),
        (["--hits", "5"], "--hits"),
        (["--seconds", "-1"], "--seconds"),
        (["--hits", "1e5", "--seconds", "1"], "only one of"),
    ],
)
def test_wrong_usage(tmp_path: Path, arguments: list[str], says: str) -> None:
    done = bench(*arguments, folder=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("kind", ["missing", "foreign", "empty", "header_only", "bad_recipe"])
def test_garbage_gives_one_clear_line(raw: Path, tmp_path: Path, kind: str) -> None:
    (tmp_path / "tmp").mkdir()
    path = tmp_path / "[x].tpx3"
    content = {"foreign": b"\x89PNG" * 1000, "empty": b"", "header_only": b"TPX3\x00"}
    if kind in content:
        path.write_bytes(content[kind])
    given: list[str | Path] = ["--file", path]
    if kind == "bad_recipe":
        path.write_text("geometry: {gap: 1}")
        given = ["--file", raw, "--recipe", path]
    done = bench(*given, "--repeat", "1", folder=tmp_path / "tmp")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: ")
    assert str(path) in done.stderr
    assert list((tmp_path / "tmp").iterdir()) == []


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


@pytest.mark.parametrize("moment", ["simulating", "measuring"])
def test_an_interrupt_leaves_nothing(
    tmp_path: Path, process_exists: Callable[[int], bool], moment: str
) -> None:
    amount = "3000" if moment == "simulating" else "0.3"
    running = subprocess.Popen(
        [sys.executable, "-m", "twinbeam", "bench", "--seconds", amount, "--repeat", "1000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    deadline = time.monotonic() + 240
    begun: list[int] = []
    while not begun:
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        if moment == "measuring":
            begun = children(running.pid)
        else:
            begun = [p.stat().st_size for p in tmp_path.rglob("*.part") if p.stat().st_size > 1e6]
        time.sleep(0.02)
    child = begun[0] if moment == "measuring" else None
    running.send_signal(signal.SIGINT)
    stdout, stderr = running.communicate(timeout=60)
    assert running.returncode == 130
    assert stdout == ""
    assert "Traceback" not in stderr
    assert list(tmp_path.iterdir()) == []
    assert child is None or not process_exists(child)


def test_the_script_measures_its_rates(tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, ROOT / "benchmarks" / "throughput.py", *arguments],
            capture_output=True,
            text=True,
            timeout=250,
            env={**os.environ, "TMPDIR": str(tmp_path), "COLUMNS": "80"},
            check=False,
        )

    given = ("--hits", "1e5", "--repeat", "1", "--workers", "1")
    done = run(*given, "--rates", "4.3e5", "2e7")
    assert done.returncode == 0, done.stderr
    for rate in ("4.3e5", "2e7"):
        assert done.stdout.count(rate) == 2
    assert "…" not in done.stdout
    assert list(tmp_path.iterdir()) == []
    for wrong in (("--repeat", "0"), ("--rates", "3")):
        assert run(*wrong).returncode == 2
