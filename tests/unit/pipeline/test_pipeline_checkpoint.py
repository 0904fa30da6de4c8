"""A pipeline that was written and read goes on as if nothing had happened; foreign files do not."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import stat
from pathlib import Path
from typing import Any

import pytest

from twinbeam.errors import RawDataError
from twinbeam.pipeline import Pipeline, Recipe, load_checkpoint, save_checkpoint
from twinbeam.simulate import Experiment, SimulationParameters

PLAIN: dict[str, Any] = {}
MUCH: dict[str, Any] = {
    "images": {"g2": True, "distance": True, "slices_kev": [5.0, 7.5, 10.0], "symmetric": True},
    "clustering": {"spread_edges": True},
    "pairing": {"signal_half": "left"},
}


@pytest.fixture(scope="module")
def data() -> bytes:
    experiment = Experiment(SimulationParameters(pair_rate_hz=3000.0, sample="none"), 2)
    return b"".join([experiment.start(), experiment.advance(0.2), experiment.stop()])


@pytest.mark.parametrize("values", [PLAIN, MUCH])
@pytest.mark.parametrize("cut", [0, 1, 4097, 65_531, 100_000])
def test_it_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, data: bytes, values: dict[str, Any], cut: int
) -> None:
    one = Pipeline(Recipe.from_mapping(values), keep_photons=True)
    one.feed(data[:cut])
    save_checkpoint(tmp_path / "c", one, {"bytes": cut})
    other, about = load_checkpoint(tmp_path / "c", one.recipe.hash)
    assert about == {"bytes": cut}
    for pipeline in (one, other):
        pipeline.feed(data[cut:])
        pipeline.next_acquisition()
        pipeline.feed(data)
    first, second = one.finish(), other.finish()
    assert first.estimate.n_prompt > 50
    assert second.differences(first) == []
    assert second.digest() == first.digest()
    assert second.ledger.as_dict() == first.ledger.as_dict()


def test_only_its_user_can_read_it_and_nothing_else_is_left(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c", Pipeline(), {})
    assert stat.S_IMODE((tmp_path / "c").stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["c"]


def forged(body: bytes) -> bytes:
    header = {
        "file": "twinbeam checkpoint",
        "twinbeam": __import__("twinbeam").__version__,
        "recipe_hash": Recipe().hash,
        "sha256": hashlib.sha256(body).hexdigest(),
        "about": {},
    }
    return json.dumps(header).encode() + b"\n" + body


class Harm:
    """Calls something when it is unpickled."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize(
    "body",
    [
        pickle.dumps(Harm(os.mkdir, "harm")),
        pickle.dumps(Harm(eval, "__import__('os').mkdir('harm')")),
        b"ctwinbeam.pipeline.process\nprocess\n.",
        b"ctwinbeam.pipeline.pipeline\nPipeline.feed\n.",
        b"ctwinbeam.profile\nSimulatedBeamline\n.",
        b"ctwinbeam.pipeline.pipeline\nitertools\n.",
        pickle.dumps({"no": "pipeline"}),
        b"",
        b"garbage",
    ],
)
def test_a_forged_one_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c").write_bytes(forged(body))
    with pytest.raises(RawDataError, match="cannot be used"):
        load_checkpoint(tmp_path / "c", Recipe().hash)
    assert os.listdir(tmp_path) == ["c"]


def test_damage_another_recipe_and_no_file_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "c"
    save_checkpoint(path, Pipeline(), {})
    good = path.read_bytes()
    with pytest.raises(RawDataError, match="another recipe"):
        load_checkpoint(path, "0" * 16)
    for harm in (good[:-1], good + b"x", good[:40], good.replace(b"sha256", b"sha255"), b"\n", b""):
        path.write_bytes(harm)
        with pytest.raises(RawDataError, match="cannot be used"):
            load_checkpoint(path, Recipe().hash)
    path.unlink()
    with pytest.raises(RawDataError, match="cannot be read"):
        load_checkpoint(path, Recipe().hash)
