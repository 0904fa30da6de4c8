"""Conservation: every byte, hit, photon and pair is in exactly one entry."""

from __future__ import annotations

import numpy as np
import pytest

from twinbeam.pipeline import Ledger, Pipeline, Recipe, Result, Stage

STAGES = ["bytes", "hits", "photons", "pairs", "accidentals"]


def test_every_account_balances(result: Result, raw: bytes) -> None:
    assert list(result.ledger.stages) == STAGES
    assert result.ledger.closes
    assert all(stage.held == stage.dropped == 0 for stage in result.ledger.stages.values())
    stages = result.ledger.stages
    assert stages["bytes"].taken == len(raw)
    assert stages["bytes"].used == 8 * stages["hits"].taken == 8 * result.n_hits
    assert stages["hits"].used == result.photons.n_hits.sum()
    assert stages["photons"].taken == len(result.photons)
    assert stages["pairs"].used == np.count_nonzero(result.pairs.replica == 0)
    assert stages["accidentals"].used == np.count_nonzero(result.pairs.replica != 0)
    assert stages["pairs"].used == result.estimate.n_prompt > 100
    assert stages["accidentals"].used == result.estimate.n_replicas


def test_reasons_come_in_the_order_of_the_steps(result: Result) -> None:
    reasons = {name: list(stage.rejected) for name, stage in result.ledger.stages.items()}
    pixels = ["masked", "hot", "dead", "beam_stop", "tot_ceiling"]
    assert reasons["hits"] == ["late", "astray", "crowded", "repeated", "zero_tot", *pixels]
    assert reasons["photons"] == ["energy_low", "energy_high", "crowded"]
    cuts = [cut.quantity for cut in result.recipe.selection.cuts]
    assert reasons["pairs"] == reasons["accidentals"] == cuts


def test_what_waits_is_held(raw: bytes) -> None:
    pipeline = Pipeline()
    pipeline.feed(raw[: len(raw) // 2])
    now = pipeline.snapshot()
    assert now.ledger.closes
    assert now.ledger.stages["hits"].held > 0
    assert now.ledger.stages["hits"].held < 0.2 * now.n_hits


def test_images_hold_what_the_ledger_says(result: Result) -> None:
    stages = result.ledger.stages
    assert result.arrays["singles"].sum() == stages["photons"].taken
    assert result.arrays["coincidence"].sum() == 2 * stages["pairs"].used
    assert result.arrays["coincidence_accidental"].sum() == 2 * stages["accidentals"].used
    inside = np.abs(result.pairs.dt_ns) < 46.875
    peak = result.arrays["dt"][np.abs(result.axes.dt_ns[:-1] + 3.125) < 46.875]
    assert peak.sum() == np.count_nonzero(inside & (result.pairs.replica == 0))


@pytest.mark.parametrize("cuts", [(), ({"quantity": "dt_ns", "low": -20, "high": 20},)])
def test_any_selection_balances(raw: bytes, cuts: tuple) -> None:
    pipeline = Pipeline(Recipe.from_mapping({"selection": {"cuts": cuts}}))
    pipeline.feed(raw)
    stages = pipeline.finish().ledger
    assert stages.closes
    assert list(stages.stages["pairs"].rejected) == [cut["quantity"] for cut in cuts]


def test_a_missing_photon_is_noticed() -> None:
    stage = Stage(10, 6, {"late": 2}, dropped=1, held=0)
    assert stage.difference == 1
    assert not Ledger({"hits": stage}).closes
    assert Ledger({"hits": stage}).as_dict() == {
        "hits": {"in": 10, "used": 6, "rejected": {"late": 2}, "dropped": 1, "held": 0}
    }
