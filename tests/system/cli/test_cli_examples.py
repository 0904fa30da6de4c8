"""The examples in the help of the commands run as they stand."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from in_process import InProcess
from made_runs import SMALL, busy_bytes, make_run
from typer.main import get_command

from twinbeam.cli.app import app, run
from twinbeam.pipeline import process, write_nexus
from twinbeam.store import RunWriter, open_catalog, register_raw, store_result

#: They work until Ctrl-C, with many processes, or on data of other energies; all have tests of
#: their own that run them.
ONLY_READ = ("demo", "iocs", "live", "view", "serve", "calibrate", "reprocess", "bench")
#: Less of what only takes time, and folders that are there.
SHORTER = {
    "--seconds 60": "--seconds 0.2",
    "/data/2026-1 /archive/2026-1": "twinbeam-demo/raw archive",
}
#: A difference or a fault that is found is status 1.
MAY_FIND = ("compare", "doctor")


def commands(command: Any, *words: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command and group with the words that lead to it."""
    yield words, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, *words, name)


HELP = {words: each.help or "" for words, each in commands(get_command(app)) if words}
EXAMPLES = [
    (words, line)
    for words, text in HELP.items()
    for line in re.findall(r"^\s*Example: twinbeam (.+)$", text, re.M)
]
RUN = [line for words, line in EXAMPLES if words[0] not in ONLY_READ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with the files the examples name, and the beginning of a run's uid."""
    here = tmp_path_factory.mktemp("examples")
    catalogue, raw = here / "twinbeam-demo" / "catalog", here / "twinbeam-demo" / "raw"
    with open_catalog(catalogue, readable=[raw]) as catalog:
        for number in (42, 41):
            about = {"plan_name": "collect_pairs", "sample": "leaf", "scan_id": number}
            with RunWriter(catalog) as writer:
                made = make_run(writer, raw, about, seed=number)
            register_raw(catalog, made.uid, made.paths)
        store_result(catalog, made.uid, process(made.paths, SMALL))
    data = busy_bytes(3, 0.2)
    half = data.index(b"TPX3", len(data) // 2)  # files end with whole chunks
    (here / "run_000000.tpx3").write_bytes(data[:half])
    (here / "run_000001.tpx3").write_bytes(data[half:])
    write_nexus(process([here / "run_000000.tpx3"], SMALL), here / "result.h5")
    for name in ("before.h5", "after.h5"):
        shutil.copy(here / "result.h5", here / name)
    wider = SMALL.as_dict()
    wider["pairing"]["window_ns"] += 10.0
    (here / "wider.yaml").write_text(type(SMALL).from_mapping(wider).to_yaml())
    shutil.copytree(raw, here / "archive")
    (here / "my_recipe.yaml").write_text(SMALL.to_yaml())
    return here, made.uid[:8]


def test_every_command_has_an_example() -> None:
    groups = {words for words in HELP if any(w[:-1] == words for w in HELP)}
    without = set(HELP) - {words for words, _ in EXAMPLES} - groups
    assert without == set()


@pytest.mark.parametrize(
    "line", [line for words, line in EXAMPLES if words[0] in ONLY_READ], ids=lambda line: line
)
def test_an_example_that_would_not_end_is_understood(line: str) -> None:
    command: Any = get_command(app)
    words = shlex.split(line)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    context = command.make_context("example", list(words))  # options and values are checked here
    told = [context.get_parameter_source(name) for name in context.params]
    assert any(source.name == "COMMANDLINE" for source in told) == bool(words)


@pytest.mark.timeout(600)
def test_examples_run(
    folder: tuple[Path, str], here: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, uid = folder
    monkeypatch.chdir(where)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(where / "config"))
    for name in ("TWINBEAM_CATALOG", "TWINBEAM_TILED_URI"):
        monkeypatch.delenv(name, raising=False)
    order = ["process", "recipe", "replay", "compare"]  # one needs what another has made
    lines = sorted(RUN, key=lambda x: order.index(x.split()[0]) if x.split()[0] in order else 9)
    for line in lines:
        text = line.replace("3f4a8174", uid)
        for long, short in SHORTER.items():
            text = text.replace(long, short)
        words = shlex.split(text)
        into = None
        if ">" in words:
            words, into = words[: words.index(">")], words[-1]
        done = here(*words)
        allowed = (0, 1) if words[0] in MAY_FIND else (0,)
        assert done.returncode in allowed, f"{line}\n{done.stdout}{done.stderr}"
        if into is not None:
            (where / into).write_text(done.stdout)
    assert (where / "newest.nxs").exists()
    assert (where / "config" / "twinbeam" / "settings.yaml").exists()


def test_help_is_in_the_order_of_a_day(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    text = capsys.readouterr().out
    day = ("demo", "doctor", "settings", "live", "view", "replay", "export", "process", "serve")
    places = [re.search(rf"^│ {name}\s", text, re.M) for name in day]
    assert None not in places
    starts = [place.start() for place in places if place]
    assert starts == sorted(starts)
    assert text.count("\n│ ") > len({words[0] for words in HELP})
