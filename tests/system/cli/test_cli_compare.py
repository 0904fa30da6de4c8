"""`twinbeam compare`: results of stored runs and of files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from made_runs import SMALL, SMALL_IMAGES, MadeRun, make_run

from twinbeam.cli.app import run
from twinbeam.pipeline import Recipe, process, write_nexus
from twinbeam.store import RunWriter, open_catalog, store_result

CUTS = [{"quantity": "dt_ns", "low": -30.0, "high": 30.0}]


@dataclass(frozen=True)
class Stored:
    """A run with two results, one with one and one with none; the first result also as a file."""

    catalog: Path
    two: MadeRun
    one: MadeRun
    none: MadeRun
    recipe: Path
    file: Path

    @property
    def other(self) -> Recipe:
        return Recipe.load(self.recipe)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    folder = tmp_path_factory.mktemp("compared")
    recipe, file = folder / "other.yaml", folder / "one.h5"
    recipe.write_text(yaml.safe_dump({"selection": {"cuts": CUTS}, "images": SMALL_IMAGES}))
    with open_catalog(folder / "catalog") as catalog, RunWriter(catalog) as writer:
        two, one, none = (make_run(writer, folder, {"scan_id": n}, seed=n) for n in (1, 2, 3))
        result = process(two.paths, SMALL)
        store_result(catalog, two.uid, result)
        store_result(catalog, two.uid, process(two.paths, Recipe.load(recipe)))
        store_result(catalog, one.uid, process(one.paths, SMALL))
    write_nexus(result, file)
    return Stored(folder / "catalog", two, one, none, recipe, file)


def compared(
    capsys: pytest.CaptureFixture[str], stored: Stored, *names: object
) -> tuple[int, Any, str]:
    capsys.readouterr()
    status = run(["compare", *map(str, names), "--catalog", str(stored.catalog), "--json"])
    printed = capsys.readouterr()
    return status, json.loads(printed.out) if printed.out else None, printed.err


def test_a_run_and_its_file_are_identical(
    stored: Stored, capsys: pytest.CaptureFixture[str]
) -> None:
    # of the two results of the run the one with the recipe of its start document, the default
    status, found, _ = compared(capsys, stored, stored.two.uid, stored.file)
    assert status == 0
    assert found["identical"] is True
    assert found["equal_arrays"] > 10
    assert found["numbers"] == []
    assert found["pairs"]["n_a"] > 200
    assert found["a"] == f"{stored.two.uid[:8]}@{SMALL.hash}"


@pytest.mark.parametrize("by", ["hash", "recipe"])
def test_two_recipes_of_one_run(
    stored: Stored, capsys: pytest.CaptureFixture[str], by: str
) -> None:
    uid = stored.two.uid
    which = stored.other.hash[:5] if by == "hash" else stored.recipe
    status, found, _ = compared(capsys, stored, uid, f"{uid[:8]}@{which}")
    assert status == 1
    assert (found["hash_a"], found["hash_b"]) == (SMALL.hash, stored.other.hash)
    names = {d["name"] for d in found["recipe"]}
    assert "selection.cuts[dt_ns].low" in names
    assert all(name.startswith("selection.") for name in names)
    one, two = process(stored.two.paths, SMALL), process(stored.two.paths, stored.other)
    ledger = {d["name"]: (d["a"], d["b"]) for d in found["ledger"]}
    used = (one.estimate.n_prompt, two.estimate.n_prompt)
    assert ledger["pairs.used"] == used
    net = next(d for d in found["numbers"] if d["name"] == "pairs, net")
    assert net["difference"] == pytest.approx(two.estimate.net - one.estimate.net)
    assert net["a_err"] == one.estimate.net_err
    # fewer cuts: every pair of the first is in the second, with other pairs
    assert (found["pairs"]["n_a"], found["pairs"]["n_b"]) == (len(one.pairs), len(two.pairs))
    assert sum(found["pairs"]["only_b"]) - sum(found["pairs"]["only_a"]) == len(two.pairs) - len(
        one.pairs
    )
    assert "idler" in {d["name"] for d in found["arrays"]}
    assert "singles" not in {d["name"] for d in found["arrays"]}


def test_a_table_for_people(stored: Stored, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["compare", stored.two.uid, stored.one.uid, "--catalog", str(stored.catalog)]
    assert run(arguments) == 1
    printed = capsys.readouterr().out
    for title in ("ledger", "estimates", "images and histograms", "pairs"):
        assert title in printed
    assert "recipe " not in printed
    assert "DIFFERENT" in printed
    assert run(["compare", str(stored.file), str(stored.file)]) == 0
    assert "one.h5 and one.h5: bit-identical" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("3", "has no stored result"),
        ("99", "no run '99'"),
        ("1@ffff", "no stored result is of recipe 'ffff'"),
        ("1@", "no stored result is of recipe ''|several results fit of recipe ''"),
        ("none.h5", "none.h5: no such file"),
    ],
)
def test_what_is_not_there(
    stored: Stored, capsys: pytest.CaptureFixture[str], name: str, message: str
) -> None:
    status, found, err = compared(capsys, stored, name, "1")
    assert (status, found) == (1, None)
    assert any(part in err for part in message.split("|"))
